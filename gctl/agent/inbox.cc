#include "gctl/agent/inbox.h"

#include <utility>

namespace gaggle::agent {

Inbox::Inbox(InboxLimits limits, std::function<void()> wake)
    : limits_(limits), wake_(std::move(wake)) {}

void Inbox::put(node::Input own) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        own_.push_back(std::move(own));
        wake = must_wake();
    }
    if (wake) wake_();
}

bool Inbox::offer(node::Input foreign, std::size_t bytes) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        const bool full = foreign_.size() >= limits_.frames_max ||
                          foreign_bytes_ + bytes > limits_.frame_bytes_max;
        if (full) {
            ++dropped_;
            return false;
        }
        foreign_bytes_ += bytes;
        foreign_.push_back({std::move(foreign), bytes});
        wake = must_wake();
    }
    if (wake) wake_();
    return true;
}

std::vector<node::Input> Inbox::take(std::size_t count) {
    const std::lock_guard lock(mutex_);
    std::vector<node::Input> out;
    while (out.size() < count && !own_.empty()) {
        out.push_back(std::move(own_.front()));
        own_.pop_front();
    }
    while (out.size() < count && !foreign_.empty()) {
        foreign_bytes_ -= foreign_.front().bytes;
        out.push_back(std::move(foreign_.front().input));
        foreign_.pop_front();
    }
    if (out.empty()) woken_ = false;
    return out;
}

std::uint64_t Inbox::dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_;
}

bool Inbox::must_wake() { return !std::exchange(woken_, true); }

}  // namespace gaggle::agent
