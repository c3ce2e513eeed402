#include <algorithm>
#include <map>

#include "gctl/cli/commands.h"
#include "gctl/cli/render.h"
#include "gctl/cli/tail.h"

namespace gaggle::cli {

namespace {

constexpr std::size_t kLineBytes = 1'024;     // a guess: so much is read for each line wanted
constexpr std::size_t kLineMax = 64U << 10U;  // without an end; then it is shown as far as it is
constexpr Duration kLineWait = 1s;            // the same
constexpr Duration kLookEvery = 200ms;        // whether one waits so long
constexpr std::size_t kChildrenListed = 10;

/// What one task of one allocation has written, as whole lines with its name in front. Of a line
/// whose end does not come, what is there is shown, and the rest later as a line of its own.
class Voice {
  public:
    Voice(std::string prefix, std::optional<std::size_t> lines)
        : prefix_(std::move(prefix)), lines_(lines) {}

    /// What may be shown now. Lines are kept together; the last ones are chosen once all that was
    /// there has come.
    std::string take(const LogFrame& frame, WallTime now) {
        const bool ends_cut = cut_ && frame.data.starts_with('\n');
        if (!frame.data.empty()) cut_ = false;
        text_ += ends_cut ? frame.data.substr(1) : frame.data;
        if (!frame.data.empty()) heard_ = now;
        if (frame.caught_up) caught_up_ = true;
        if (lines_ && !caught_up_) return "";
        if (lines_ && std::exchange(chosen_, true) == false) text_ = last_lines(text_, *lines_);
        const std::size_t end = std::string_view(text_).substr(searched_).rfind('\n');
        std::size_t whole = end == std::string::npos ? 0 : searched_ + end + 1;
        std::string out = prefixed(std::string_view(text_).substr(0, whole));
        text_.erase(0, whole);
        if (text_.size() > kLineMax) out += cut();
        searched_ = text_.size();
        return out;
    }
    /// A line that has waited for its end long enough, as a prompt does; else nothing.
    std::string waited(WallTime now) {
        const bool choosing = lines_ && !chosen_;
        const bool fresh = now.nanoseconds - heard_.nanoseconds <
                           std::chrono::duration_cast<std::chrono::nanoseconds>(kLineWait).count();
        return choosing || fresh ? "" : cut();
    }
    /// A last line without its end.
    std::string rest() {
        searched_ = 0;
        if (text_.empty()) return "";
        text_ += '\n';
        return prefixed(std::exchange(text_, {}));
    }

  private:
    std::string cut() {
        cut_ = cut_ || !text_.empty();
        return rest();
    }
    std::string prefixed(std::string_view lines) const {
        std::string out;
        for (std::size_t at = 0; at < lines.size();) {
            const std::size_t end = lines.find('\n', at) + 1;
            out += prefix_ + std::string(lines.substr(at, end - at));
            at = end;
        }
        return out;
    }

    std::string prefix_;
    std::optional<std::size_t> lines_;
    std::string text_;          ///< not yet shown
    std::size_t searched_ = 0;  ///< so far there is no end of a line in it
    WallTime heard_;            ///< when something came last
    bool cut_ = false;          ///< what was shown last had no end yet
    bool caught_up_ = false;
    bool chosen_ = false;
};

/// All of them, each allocation in a colour of its own.
class Choir {
  public:
    Choir(Console& console, std::optional<std::size_t> lines) : console_(console), lines_(lines) {}

    /// Also a heartbeat, for time passes with it.
    void take(const LogFrame& frame, WallTime now) {
        const std::int64_t pause =
            std::chrono::duration_cast<std::chrono::nanoseconds>(kLookEvery).count();
        if (now.nanoseconds - looked_.nanoseconds >= pause) {
            looked_ = now;
            for (auto& [key, voice] : voices_) console_.print(voice.waited(now));
        }
        if (frame.alloc.empty()) return;
        Voice& voice = voice_of(frame);
        console_.print(voice.take(frame, now));
        if (!frame.error.empty())
            console_.note(short_id(frame.alloc) + "/" + frame.task + ": " + frame.error);
    }
    void end() {
        for (auto& [key, voice] : voices_) console_.print(voice.rest());
    }

  private:
    Voice& voice_of(const LogFrame& frame) {
        const auto found = voices_.find({frame.alloc, frame.task});
        if (found != voices_.end()) return found->second;
        const std::size_t colour = colours_.emplace(frame.alloc, colours_.size()).first->second;
        const std::string name = short_id(frame.alloc) + "/" + frame.task;
        return voices_
            .emplace(std::pair(frame.alloc, frame.task),
                     Voice(console_.tint(colour, name + " |") + " ", lines_))
            .first->second;
    }

    Console& console_;
    std::optional<std::size_t> lines_;
    WallTime looked_;
    std::map<std::string, std::size_t> colours_;
    std::map<std::pair<std::string, std::string>, Voice> voices_;
};

/// A job that waits to be dispatched writes nothing; those that were dispatched from it do.
Result<void> refuse_parameterized(const Api& api, const std::string& job) {
    const Value found = TRY(api.get("find job " + job, "/v1/jobs", {{"prefix", job}}));
    const std::vector<JobStub> jobs = jobs_of(Json(found));
    const auto self = std::ranges::find(jobs, job, &JobStub::id);
    if (self == jobs.end() || !self->parameterized) return {};
    const std::vector<JobStub> children = TRY(dispatched_jobs(api, job));
    std::string listed;
    for (std::size_t at = 0; at < std::min(children.size(), kChildrenListed); ++at)
        listed += "\n  gctl job logs " + children[at].id + "  (" + children[at].status + ")";
    if (children.size() > kChildrenListed)
        listed += "\n  and " + std::to_string(children.size() - kChildrenListed) +
                  " more: gctl job status " + job;
    return {Errc::invalid,
            "read logs of job " + job +
                ": it is parameterized, and only what was dispatched from it writes logs; " +
                (children.empty() ? "nothing was yet: gctl job dispatch " + job : "see:" + listed)};
}

}  // namespace

Result<int> run(const JobLogs& command, const Context& context) {
    const Api api = TRY(context.api());
    const std::string job = TRY(resolve_job(api, command.id));
    TRY(refuse_parameterized(api, job));
    Query query{{"type", command.error_stream ? "stderr" : "stdout"},
                {"follow", command.follow ? "true" : "false"},
                {"task", command.task}};
    if (command.lines) {
        query.emplace_back("origin", "end");
        query.emplace_back("offset", std::to_string(*command.lines * kLineBytes));
    }
    Choir choir(context.console, command.lines);
    FrameReader frames;
    Result<void> sound;
    const std::string purpose = "read logs of job " + job;
    const auto piece = [&](std::string_view text) {
        if (context.json) {
            context.console.print(text);
            return true;
        }
        const auto read = frames.take(text);
        if (!read.ok()) sound = read.error();
        if (!read.ok()) return false;
        for (const LogFrame& frame : *read) choir.take(frame, context.world.now());
        return true;
    };
    const auto followed =
        api.follow(purpose, "/v1/job/" + url_encoded(job) + "/logs", query, piece);
    choir.end();
    if (!followed.ok()) return followed.error();
    if (!sound.ok()) return within(purpose, sound.error());
    return 0;
}

}  // namespace gaggle::cli
