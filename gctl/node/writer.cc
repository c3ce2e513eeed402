#include "gctl/node/writer.h"

namespace gaggle::node {

void Writer::raft(raft::Persist persist) {
    INVARIANT(!raft_);
    raft_ = std::move(persist);
}

void Writer::begin_replica(raft::ReplicaId replica, Then then) {
    begin_ = replica;
    raft_.reset();  // what the old one wanted to write is forgotten with it
    begin_then_.push_back(std::move(then));
}

void Writer::put(std::string key, std::optional<Bytes> value, Then then) {
    keys_[std::move(key)] = std::move(value);
    if (then) then_.push_back(std::move(then));
}

void Writer::pump(Outbox& out) {
    if (failed_ || under_way_ || (!begin_ && !raft_ && keys_.empty())) return;
    StoreWrite write{.token = next_++, .begin_replica = {}, .raft = {}, .keys = {}};
    under_way_ = write.token;
    if (begin_) {
        write.begin_replica = std::exchange(begin_, std::nullopt);
        waiting_ = {.raft_token = std::nullopt, .then = std::exchange(begin_then_, {})};
    } else {
        if (raft_) waiting_.raft_token = raft_->token;
        write.raft = std::exchange(raft_, std::nullopt);
        write.keys = std::exchange(keys_, {});
        waiting_.then = std::exchange(then_, {});
    }
    INVARIANT(!out.effects.store);
    out.effects.store = std::move(write);
}

Writer::Finished Writer::stored(std::uint64_t token) {
    INVARIANT(under_way_ == token);
    under_way_.reset();
    return std::exchange(waiting_, {});
}

}  // namespace gaggle::node
