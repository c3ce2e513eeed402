#include "crypto/command_queue.h"

namespace gaggle {

void CommandQueue::put(SocketCommand command) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (const auto* set = std::get_if<socket_command::SetPeer>(&command)) known_.insert(set->peer);
    if (const auto* gone = std::get_if<socket_command::ForgetPeer>(&command))
        known_.erase(gone->peer);
    commands_.push_back(std::move(command));
}

bool CommandQueue::put_send(socket_command::Send send) {
    const std::lock_guard lock(mutex_);
    if (closed_ || !known_.contains(send.peer) || lagging_.contains({send.peer, send.channel}) ||
        !has_room(send))
        return false;
    ++messages_;
    bytes_ += send.message.size();
    commands_.emplace_back(std::move(send));
    return true;
}

bool CommandQueue::has_room(const socket_command::Send& send) const {
    const bool bulk = send.channel == Channel::bulk;
    const std::size_t size = send.message.size();
    const std::size_t share = bulk ? 2 : 1;
    return size <= (bulk ? limits_.bulk_bytes_max : limits_.control_bytes_max) &&
           messages_ < limits_.queue_messages_max / share &&
           bytes_ + size <= limits_.queue_bytes_max / share;
}

std::vector<SocketCommand> CommandQueue::take_all() {
    const std::lock_guard lock(mutex_);
    messages_ = 0;
    bytes_ = 0;
    return std::exchange(commands_, {});
}

void CommandQueue::set_lagging(PeerId peer, Channel channel, bool lags) {
    const std::lock_guard lock(mutex_);
    if (lags)
        lagging_.insert({peer, channel});
    else
        lagging_.erase({peer, channel});
}

void CommandQueue::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

bool CommandQueue::closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
}

}  // namespace gaggle
