// The last lines of a run, where also a signal handler can write them out.
//
// A fixed array: no allocation, so that a broken invariant can leave them behind while it aborts.
// One run at a time; lines longer than a slot are cut.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace gaggle::sim {

class LastLines {
  public:
    void clear() { count_ = 0; }
    void add(std::string_view line) {
        Slot& slot = slots_[count_++ % kKept];
        slot.size = std::min(line.size(), kLineMax - 1);
        std::copy_n(line.begin(), slot.size, slot.text.begin());
        slot.text[slot.size++] = '\n';
    }
    /// Oldest first. Async-signal-safe.
    void write_to(int file) const {
        for (std::size_t at = count_ < kKept ? 0 : count_ - kKept; at < count_; ++at) {
            const Slot& slot = slots_[at % kKept];
            if (::write(file, slot.text.data(), slot.size) < 0) return;
        }
    }

  private:
    static constexpr std::size_t kKept = 200;
    static constexpr std::size_t kLineMax = 400;
    struct Slot {
        std::array<char, kLineMax> text;
        std::size_t size = 0;
    };
    std::array<Slot, kKept> slots_{};
    std::size_t count_ = 0;
};

/// Of the run that is under way, or was the last one.
inline LastLines& last_lines() {
    static LastLines lines;
    return lines;
}

}  // namespace gaggle::sim
