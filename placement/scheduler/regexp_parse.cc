#include "placement/scheduler/regexp_parse.h"

#include <optional>
#include <string>

namespace gaggle {

namespace {

using ByteSet = Regexp::ByteSet;
using Op = Regexp::Op;
using Node = RegexpNode;

constexpr int kNestingMax = 64;
constexpr int kRepeatMax = 1000;  // as in Go

ByteSet range(char first, char last) {
    ByteSet set;
    for (int byte = static_cast<unsigned char>(first); byte <= static_cast<unsigned char>(last);
         ++byte)
        set.set(static_cast<std::size_t>(byte));
    return set;
}
ByteSet digits() { return range('0', '9'); }
ByteSet word_bytes() { return digits() | range('a', 'z') | range('A', 'Z') | range('_', '_'); }
ByteSet spaces() { return range('\t', '\n') | range('\f', '\r') | range(' ', ' '); }

ByteSet with_both_cases(ByteSet set) {
    for (std::size_t lower = 'a'; lower <= 'z'; ++lower) {
        const std::size_t upper = lower - 'a' + 'A';
        const bool either = set[lower] || set[upper];
        set[lower] = either;
        set[upper] = either;
    }
    return set;
}

/// Recursive descent over the pattern; the first error sticks.
class Parser {
  public:
    explicit Parser(std::string_view pattern) : pattern_(pattern) {}

    Result<Node> parse() {
        Node node = alternation(0);
        if (error_.empty() && at_ < pattern_.size()) fail("unexpected )");
        if (error_.empty()) return node;
        return Error{Errc::invalid, "regexp \"" + std::string(pattern_) + "\" at byte " +
                                        std::to_string(at_) + ": " + error_};
    }

  private:
    bool done() const { return at_ >= pattern_.size() || !error_.empty(); }
    bool next_is(char c) const { return !done() && pattern_[at_] == c; }
    bool skip(char c) { return next_is(c) ? (++at_, true) : false; }
    bool skip(std::string_view text) {
        if (!pattern_.substr(std::min(at_, pattern_.size())).starts_with(text)) return false;
        at_ += text.size();
        return true;
    }
    void fail(std::string why) {
        if (error_.empty()) error_ = std::move(why);
    }

    Node of(ByteSet set) const {
        return {.kind = Node::Kind::bytes, .set = fold_ ? with_both_cases(set) : set};
    }
    static Node of(Op assertion) { return {.kind = Node::Kind::assertion, .assertion = assertion}; }

    Node alternation(int depth) {
        Node either{.kind = Node::Kind::either};
        if (depth > kNestingMax) fail("groups nest too deeply");
        do either.parts.push_back(sequence(depth));
        while (skip('|') && error_.empty());
        return either.parts.size() == 1 ? std::move(either.parts.front()) : std::move(either);
    }

    Node sequence(int depth) {
        Node all{.kind = Node::Kind::sequence};
        while (!done() && !next_is('|') && !next_is(')')) all.parts.push_back(repeated(depth));
        return all;
    }

    Node repeated(int depth) {
        Node node = atom(depth);
        int times = 0;
        for (auto bounds = repetition(); bounds; bounds = repetition()) {
            if (++times > 1) fail("a repetition of a repetition");
            skip('?');  // lazy or greedy makes no difference to whether it matches
            Node repeat{.kind = Node::Kind::repeat, .least = bounds->first, .most = bounds->second};
            repeat.parts.push_back(std::move(node));
            node = std::move(repeat);
        }
        return node;
    }

    std::optional<std::pair<int, int>> repetition() {
        if (skip('*')) return std::pair{0, -1};
        if (skip('+')) return std::pair{1, -1};
        if (skip('?')) return std::pair{0, 1};
        if (!next_is('{')) return std::nullopt;
        const std::size_t start = at_++;
        const std::optional<int> least = count();
        std::optional<int> most = least;
        if (least && skip(',')) most = next_is('}') ? std::optional(-1) : count();
        if (!least || !most || !skip('}')) {
            at_ = start;  // Go reads such a brace as itself; atom() takes it next time
            return std::nullopt;
        }
        if (*least > kRepeatMax || *most > kRepeatMax) fail("a repetition of more than 1000");
        if (*most >= 0 && *least > *most) fail("a repetition of at least more than at most");
        return std::pair{*least, *most};
    }

    std::optional<int> count() {
        std::optional<int> value;
        while (!done() && pattern_[at_] >= '0' && pattern_[at_] <= '9' &&
               value.value_or(0) <= kRepeatMax)
            value = value.value_or(0) * 10 + (pattern_[at_++] - '0');
        return value;
    }

    Node atom(int depth) {
        const char c = pattern_[at_++];
        switch (c) {
            case '(': return group(depth);
            case '[': return of(byte_class());
            case '.': return of(dot_is_all_ ? ~ByteSet{} : ~range('\n', '\n'));
            case '^': return of(Op::begin);
            case '$': return of(Op::end);
            case '*':
            case '+':
            case '?': fail("nothing to repeat"); return {};
            case '\\': return escape();
            default: return of(range(c, c));
        }
    }

    Node group(int depth) {
        const bool fold = fold_, dot_is_all = dot_is_all_;
        if (skip("?P<")) {
            while (!done() && !next_is('>')) ++at_;
            if (!skip('>')) fail("a group's name without its >");
        } else if (skip('?') && flags()) {
            return {};  // (?i) holds until the group around ends
        }
        Node node = alternation(depth + 1);
        if (!skip(')')) fail("missing )");
        fold_ = fold;
        dot_is_all_ = dot_is_all;
        return node;
    }

    /// After "(?". True when the flags stand alone: "(?i)".
    bool flags() {
        bool on = true;
        while (!done()) {
            const char c = pattern_[at_++];
            if (c == ':') return false;
            if (c == ')') return true;
            if (c == '-')
                on = false;
            else if (c == 'i')
                fold_ = on;
            else if (c == 's')
                dot_is_all_ = on;
            else
                fail(std::string("unknown flag ") + c);
        }
        fail("missing )");
        return true;
    }

    Node escape() {
        if (done()) return fail("a \\ at the end"), Node{};
        switch (pattern_[at_]) {
            case 'b': ++at_; return of(Op::boundary);
            case 'B': ++at_; return of(Op::no_boundary);
            case 'A': ++at_; return of(Op::begin);
            case 'z': ++at_; return of(Op::end);
            default: return of(escaped_set());
        }
    }

    /// What follows a backslash, also within a class.
    ByteSet escaped_set() {
        if (done()) return fail("a \\ at the end"), ByteSet{};
        const char c = pattern_[at_++];
        switch (c) {
            case 'd': return digits();
            case 'D': return ~digits();
            case 'w': return word_bytes();
            case 'W': return ~word_bytes();
            case 's': return spaces();
            case 'S': return ~spaces();
            case 'n': return range('\n', '\n');
            case 'r': return range('\r', '\r');
            case 't': return range('\t', '\t');
            case 'f': return range('\f', '\f');
            case 'v': return range('\v', '\v');
            default: break;
        }
        if (word_bytes()[static_cast<unsigned char>(c)]) fail(std::string("unknown escape \\") + c);
        return range(c, c);
    }

    ByteSet byte_class() {
        const bool negated = skip('^');
        ByteSet set;
        bool first = true;
        while (!done() && (first || !next_is(']'))) {
            first = false;
            if (next_is('[') && at_ + 1 < pattern_.size() && pattern_[at_ + 1] == ':') {
                fail("a named class such as [:alpha:] is not supported; write the range");
                break;
            }
            const char low = pattern_[at_++];
            const ByteSet one = low == '\\' ? escaped_set() : range(low, low);
            const bool is_range =
                next_is('-') && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']';
            set |= is_range ? range_from(one) : one;
        }
        if (!skip(']')) fail("missing ]");
        if (fold_) set = with_both_cases(set);
        return negated ? ~set : set;
    }

    /// The rest of "a-z" after its first byte.
    ByteSet range_from(const ByteSet& low) {
        ++at_;
        const char c = pattern_[at_++];
        const ByteSet high = c == '\\' ? escaped_set() : range(c, c);
        if (low.count() != 1 || high.count() != 1)
            return fail("a range between classes"), ByteSet{};
        const auto first = static_cast<char>(low._Find_first());
        const auto last = static_cast<char>(high._Find_first());
        if (low._Find_first() > high._Find_first()) fail("a range from high to low");
        return range(first, last);
    }

    std::string_view pattern_;
    std::size_t at_ = 0;
    bool fold_ = false;
    bool dot_is_all_ = false;
    std::string error_;
};

}  // namespace

Result<RegexpNode> parse_regexp(std::string_view pattern) { return Parser(pattern).parse(); }

Regexp::ByteSet regexp_word_bytes() { return word_bytes(); }

}  // namespace gaggle
