// What a copy is a copy of.
//
// A lineage is a slot seen over time: the data that follows (namespace, job, group, index) from one
// allocation to the next. Its versions are ordered by the generation of the writer (the log index
// of its claim, so a later writer always wins) and, within one writer, by a running number.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <tuple>

#include "base/ids.h"

namespace gaggle::replica {

struct Lineage {
    std::string name_space;
    std::string job;
    std::string group;
    std::int64_t index = 0;
    auto operator<=>(const Lineage&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.name_space, s.job, s.group, s.index);
    }
};

/// "default/redis.cache[0]".
std::string to_string(const Lineage& lineage);

/// Name of the lineage's folder below the copies: 32 hexadecimal digits, the same on every peer.
std::string folder_of(const Lineage& lineage);

struct Version {
    Generation generation;
    std::uint64_t n = 0;  ///< from 1
    auto operator<=>(const Version&) const = default;
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.generation, s.n);
    }
};

/// "generation 12, version 7".
std::string to_string(const Version& version);

}  // namespace gaggle::replica
