// The directives of gossip's golden scripts, and how answers are written.
//
// The core under test is `a`, start 1, boot 1; the others are letters with start 1 and boot 1 too.
//     know b c d            introduces them, each announces incarnation 1; answers are not written
//     receive from=b BODY   a frame; BODY is ping, ack, ping-req, nack, push, correction, answer,
//                           digest, want or cards, with seq= target= start= timeout= where it has
//                           them; the other words are records
//     run for=3s answer=b,c events
//                           passes time from wakeup to wakeup; those named answer pings and nack
//                           ping-reqs; pings to them are not written, with `events` no frame is
//     tick after=3s         passes time at once, as after a stop of the process
//     introduce peer=b card=b, connection-lost peer=b, connect-result peer=b refused,
//     set-capacity TEXT, set-card REVISION, leave, restarting, members, counters
// Records: WHAT:WHO:INCARNATION:BY@START/BOOT with WHAT alive, restarting, left (BY: the revision
// of the card) or suspect, refused, dead (BY: the accuser); capacity:WHO:VERSION:TEXT;
// card:WHO:REVISION; in a digest entry:WHO:INCARNATION:STATE. `forged` spoils the signatures before
// it. What is 1 may be left out from the end.
#pragma once

#include <set>
#include <sstream>
#include <stdexcept>

#include "tests/golden.h"
#include "tests/gossip/fake.h"

namespace gaggle::gossip {

std::string text_of(const Message& message);
std::string text_of(const Event& event, TimePoint now);

class Script {
  public:
    std::string run(const golden::Directive& directive);

  private:
    std::string give(const Input& input);
    std::string know(const golden::Directive& directive);
    std::string receive(const golden::Directive& directive);
    std::string pass_time(const golden::Directive& directive);
    std::string members() const;
    std::string counters() const;
    std::string written(const Effects& effects, const std::set<PeerId>& hidden = {}) const;
    std::string written_events(const Effects& effects) const;

    TimePoint now_{};
    Swim swim_{self("a"), Config{}, Rng(1)};
};

}  // namespace gaggle::gossip
