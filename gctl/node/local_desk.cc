#include "gctl/node/local_desk.h"

#include <algorithm>

namespace gaggle::node {

std::optional<std::uint64_t> LocalDesk::take_in(Now now, const PeerId& from, const AskLocal& ask,
                                                Outbox& out) {
    const Asked asked{from, ask.request};
    if (const auto found = remembered_.find(asked); found != remembered_.end()) {
        out.send(from, found->second.answer);
        return std::nullopt;
    }
    if (asked_.contains(asked)) return std::nullopt;
    const auto share = shares_.find(from);
    const std::size_t of_this = share == shares_.end() ? 0 : share->second;
    if (under_way_.size() >= kLocalWorkMax || of_this >= kLocalShareMax) {
        const bool by_itself = of_this >= kLocalShareMax;
        const std::string what = by_itself ? std::to_string(kLocalShareMax) +
                                                 " questions of the asking "
                                                 "peer"
                                           : std::to_string(kLocalWorkMax) + " other questions";
        out.send(from, LocalAnswered{
                           .request = ask.request,
                           .code = Errc::unavailable,
                           .error = "this peer is busy with " + what + "; try again in a moment",
                           .answer = {}});
        return std::nullopt;
    }
    forget(now.time);
    ++shares_[from];
    asked_.insert(asked);
    under_way_[next_work_] = {asked, counts_once(ask.what)};
    return next_work_++;
}

void LocalDesk::done(Now now, std::uint64_t work, Result<LocalAnswer> answer, Outbox& out) {
    const auto found = under_way_.find(work);
    if (found == under_way_.end()) return;
    const auto [asked, once] = found->second;
    under_way_.erase(found);
    asked_.erase(asked);
    if (--shares_.at(asked.first) == 0) shares_.erase(asked.first);
    LocalAnswered said{.request = asked.second, .code = {}, .error = "", .answer = {}};
    if (answer.ok()) {
        said.answer = std::move(*answer);
    } else {
        said.code = answer.error().code;
        said.error = answer.error().detail.empty() ? to_string(said.code) : answer.error().detail;
    }
    if (once) remembered_[asked] = {now.time + kAnswerRemembered, said};
    out.send(asked.first, std::move(said));
}

void LocalDesk::forget(TimePoint now) {
    std::erase_if(remembered_, [&](const auto& one) { return one.second.until <= now; });
    while (remembered_.size() > kAnswersRemembered)
        remembered_.erase(std::min_element(
            remembered_.begin(), remembered_.end(),
            [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
}

}  // namespace gaggle::node
