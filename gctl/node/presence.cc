#include "gctl/node/presence.h"

#include "base/hash.h"

namespace gaggle::node {

std::uint64_t offer_checksum(const Offer& offer, const Description& description) {
    return checksum64(checksum64(encode(offer)), encode(description));
}

Presence::Presence(StartId start, BootId boot, Courier& courier, Rng rng)
    : start_(start), boot_(boot), courier_(courier), rng_(rng) {}

void Presence::describe(Offer offer, Description description) {
    offer_ = std::move(offer);
    description_ = std::move(description);
    checksum_ = offer_checksum(offer_, description_);
    soon();
}

void Presence::tick(Now now, Hello hello, Outbox& out) {
    const PeerId leader = courier_.leader();
    if (due_ > now.time && (leader == told_ || leader.empty())) return;
    due_ = now.time + kHelloInterval + Duration(rng_.between(-100'000, 100'000));
    told_ = leader;
    hello.start = start_;
    hello.boot = boot_;
    hello.offer = checksum_;
    if (!leader.empty()) out.send(leader, hello);
    if (unanswered_++ < kUnansweredMax) return;
    // The leader is out of reach; any full copy knows this peer's orders.
    if (const PeerId copy = courier_.any_full_copy(leader); !copy.empty()) out.send(copy, hello);
}

void Presence::on(Now now, const PeerId& from, const HelloAnswer& answer, Outbox& out) {
    if (!answer.leader) {
        if (!answer.who.empty() && answer.who != from) courier_.set_leader(answer.who, false);
        return;
    }
    unanswered_ = 0;
    courier_.set_leader(from, false);
    if (answer.number.value != 0) number_ = answer.number;
    if (answer.offer_wanted) say_offered(now, out);
}

void Presence::say_offered(Now now, Outbox& out) {
    if (offering_ || number_.value == 0) return;
    offering_ = true;
    const ledger::Offered offered{.peer = number_,
                                  .start = start_,
                                  .boot = boot_,
                                  .offer = offer_,
                                  .description = description_};
    courier_.submit(
        now, offered, 10s,
        [this](Now, Result<CommandResult> result, Outbox& box) {
            offering_ = false;
            if (result.ok() && result->refused)
                box.warn("the ledger refused what this peer offers: " + result->why);
            soon();
        },
        out);
}

}  // namespace gaggle::node
