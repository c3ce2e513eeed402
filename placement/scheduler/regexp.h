// Regular expressions for constraints, in time linear in the text.
//
// A constraint comes from whoever may submit a job and is judged on the thread of a peer's core, so
// a backtracking matcher (std::regex among them) would let "(a+)+$" stop a peer. This one walks all
// states at once (Thompson 1968; R. Cox, "Regular Expression Matching Can Be Simple And Fast",
// 2007). It reads the part of Go's syntax that job files use: literals, ., classes, \d \w \s and
// their opposites, groups, alternation, * + ? {m,n}, anchors, \b, the flags i and s. Bytes, not
// runes. Patterns and programs are bounded; named Unicode classes and back references are refused.
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gaggle {

class Regexp {
  public:
    static constexpr std::size_t kPatternMax = 1024;  ///< bytes
    static constexpr std::size_t kProgramMax = 4096;  ///< instructions

    /// Fails with `invalid`, naming the place in the pattern.
    static Result<Regexp> compile(std::string_view pattern);

    /// Whether it matches anywhere in `text`, as Go's MatchString.
    bool search(std::string_view text) const;

    using ByteSet = std::bitset<256>;
    enum class Op : std::uint8_t { match, bytes, split, jump, begin, end, boundary, no_boundary };
    struct Instruction {
        Op op = Op::match;
        std::uint32_t first =
            0;  ///< where `jump` goes; one way of `split`; which set `bytes` reads
        std::uint32_t second = 0;  ///< the other way of `split`
    };

  private:
    std::vector<Instruction> program_;
    std::vector<ByteSet> sets_;
};

}  // namespace gaggle
