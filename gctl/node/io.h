// The edge of a node: all that can happen to one peer, and all it may ask of the world.
//
// What crosses the edge towards other peers is encoded bytes, so that real codecs run in the
// simulator. Every piece of outside work comes back as an input that names it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "allocrunner/effects.h"
#include "allocrunner/input.h"
#include "allocrunner/replica/io.h"
#include "base/bytes.h"
#include "base/time.h"
#include "crypto/endpoint.h"
#include "crypto/keyring.h"
#include "gctl/node/request.h"
#include "gctl/node/service_list.h"
#include "placement/raft/effects.h"

namespace gaggle::node {

/// The moment of a step. `time` must not go backwards (checked); `wall` may.
struct Now {
    TimePoint time;
    WallTime wall;
};

// --- inputs

struct Tick {};

/// From a peer that the keyring admits, on control or bulk.
struct FrameReceived {
    PeerId from;
    Bytes bytes;
};

/// A newcomer at the lobby; `token` names its connection.
struct Knocked {
    Bytes token;
    Bytes bytes;
};

/// The store has done StoreWrite{token}; or failed, and then everything after it fails too.
struct Stored {
    std::uint64_t token = 0;
    std::optional<std::string> error;
};

/// Result of a bare TCP connect to the peer's control port.
struct ConnectTested {
    PeerId peer;
    bool refused = false;
};

/// A connection that we dialled was closed; a hint only.
struct LinkClosed {
    PeerId peer;
};

struct DoneLocally {
    std::uint64_t work = 0;
    Result<LocalAnswer> answer;
};

/// What drivers offer on this machine has changed: one became healthy, or fell ill.
struct DriversFound {
    std::map<std::string, DriverHealth> drivers;
    std::map<std::string, std::string> attributes;  ///< "driver.docker.version" ...
};

/// Offer and description as they are with these drivers.
void take_drivers(const DriversFound& found, Offer& offer, Description& description);

/// SIGTERM: the agent ends, its tasks run on, and it means to come back.
struct Restarting {};

using Input = std::variant<Tick, FrameReceived, Knocked, Stored, ConnectTested, LinkClosed,
                           DoneLocally, ExecNews, DriversFound, Restarting, ApiRequest,
                           CancelRequest, allocrunner::Input, replica::Input>;

// --- effects

struct SendFrame {
    PeerId to;
    bool bulk = false;
    Bytes bytes;
};

struct AnswerLobby {
    Bytes token;
    Bytes bytes;
};

/// One atomic, synced write. At most one is on its way at a time; the answer is Stored{token}.
struct StoreWrite {
    std::uint64_t token = 0;
    std::optional<raft::ReplicaId>
        begin_replica;  ///< first forget the old replica and start this one, empty
    std::optional<raft::Persist> raft;
    std::map<std::string, std::optional<Bytes>> keys;  ///< nothing: erase
};

/// Answer: DoneLocally{work}.
struct DoLocally {
    std::uint64_t work = 0;
    AllocId alloc;
    LocalQuestion what;
};

/// A line for the operator.
struct Note {
    bool warning = false;
    std::string text;
};

struct Effects {
    std::optional<StoreWrite> store;
    std::vector<SendFrame> send;
    std::vector<AnswerLobby> lobby;
    std::vector<ApiReply> replies;
    std::vector<allocrunner::Work> tasks;
    std::vector<replica::Work> copies;
    std::vector<DoLocally> local;
    std::vector<ExecWork> exec;
    std::vector<PeerId> connect_tests;
    std::map<PeerId, Endpoint> endpoints;  ///< learned or changed
    std::optional<Keyring> keyring;        ///< changed
    std::vector<ServicesOf> services;      ///< for DNS and templates
    std::vector<Note> notes;
};

}  // namespace gaggle::node
