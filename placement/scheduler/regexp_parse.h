// A pattern as a tree: the syntax half of regexp.h.
#pragma once

#include <string_view>
#include <vector>

#include "placement/scheduler/regexp.h"

namespace gaggle {

struct RegexpNode {
    enum class Kind { bytes, assertion, sequence, either, repeat } kind = Kind::sequence;
    Regexp::ByteSet set;  ///< of `bytes`
    Regexp::Op assertion = Regexp::Op::begin;
    int least = 0;                  ///< of `repeat`
    int most = -1;                  ///< of `repeat`; -1: no limit
    std::vector<RegexpNode> parts;  ///< of `sequence`, `either`, `repeat` (one)
};

/// Fails with `invalid`, naming the byte of the pattern.
Result<RegexpNode> parse_regexp(std::string_view pattern);

/// What \w stands for.
Regexp::ByteSet regexp_word_bytes();

}  // namespace gaggle
