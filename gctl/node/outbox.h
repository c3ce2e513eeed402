// Where the parts of a node put what they want to say, and how a peer speaks to itself.
//
// A part does not care whether its partner is another peer or this one: a frame to ourselves is not
// sent but kept in `local`, which the node works off before the step ends. Large frames go by bulk.
#pragma once

#include <deque>
#include <utility>

#include "gctl/node/io.h"
#include "gctl/node/message.h"

namespace gaggle::node {

struct Outbox {
    Effects effects;
    std::deque<Frame> local;
    PeerId self;
    RegionId region;
    Epoch epoch;

    template <class Body>
    void send(const PeerId& to, Body body, bool bulk = false) {
        Frame frame{
            .version = kFrameVersion, .region = region, .epoch = epoch, .body = std::move(body)};
        if (to == self) {
            local.push_back(std::move(frame));
        } else {
            Bytes bytes = encode(frame);
            const bool large = bytes.size() > kControlBytesMax / 2;
            effects.send.push_back({.to = to, .bulk = bulk || large, .bytes = std::move(bytes)});
        }
    }

    void note(std::string text) { effects.notes.push_back({false, std::move(text)}); }
    void warn(std::string text) { effects.notes.push_back({true, std::move(text)}); }
};

}  // namespace gaggle::node
