#include "placement/scheduler/regexp.h"

#include <string>

#include "placement/scheduler/regexp_parse.h"

namespace gaggle {

namespace {

using ByteSet = Regexp::ByteSet;
using Instruction = Regexp::Instruction;
using Op = Regexp::Op;
using Node = RegexpNode;

/// Turns the tree into instructions; gives up when there are too many.
class Compiler {
  public:
    std::vector<Instruction> program;
    std::vector<ByteSet> sets;

    bool emit(const Node& node) {
        switch (node.kind) {
            case Node::Kind::bytes:
                add({Op::bytes, static_cast<std::uint32_t>(sets.size())});
                sets.push_back(node.set);
                break;
            case Node::Kind::assertion: add({node.assertion}); break;
            case Node::Kind::sequence:
                for (const Node& part : node.parts)
                    if (!emit(part)) return false;
                break;
            case Node::Kind::either: return emit_either(node);
            case Node::Kind::repeat: return emit_repeat(node);
        }
        return program.size() < Regexp::kProgramMax;
    }

    std::uint32_t add(Instruction instruction) {
        program.push_back(instruction);
        return here() - 1;
    }

  private:
    std::uint32_t here() const { return static_cast<std::uint32_t>(program.size()); }

    bool emit_either(const Node& node) {
        std::vector<std::uint32_t> ends;
        for (std::size_t i = 0; i < node.parts.size(); ++i) {
            const bool last = i + 1 == node.parts.size();
            const std::uint32_t split = last ? 0 : add({Op::split, here() + 1});
            if (!emit(node.parts[i])) return false;
            if (last) break;
            ends.push_back(add({Op::jump}));
            program[split].second = here();
        }
        for (const std::uint32_t end : ends) program[end].first = here();
        return true;
    }

    bool emit_repeat(const Node& node) {
        const Node& part = node.parts.front();
        for (int i = 0; i < node.least; ++i)
            if (!emit(part)) return false;
        if (node.most < 0) {
            const std::uint32_t split = add({Op::split, here() + 1});
            if (!emit(part)) return false;
            add({Op::jump, split});
            program[split].second = here();
            return true;
        }
        std::vector<std::uint32_t> skips;
        for (int i = node.least; i < node.most; ++i) {
            skips.push_back(add({Op::split, here() + 1}));
            if (!emit(part)) return false;
        }
        for (const std::uint32_t skip : skips) program[skip].second = here();
        return true;
    }
};

/// Threads of one step: which byte sets are waited for. Marks keep each instruction to one visit a
/// step.
class Threads {
  public:
    Threads(const std::vector<Instruction>& program, std::string_view text)
        : program_(program), text_(text), seen_(program.size(), 0) {}

    void start_step() {
        ++step_;
        waiting.clear();
    }

    /// Follows everything that consumes nothing. True when `match` is reached.
    bool add(std::uint32_t entry, std::size_t at) {
        stack_.assign(1, entry);
        while (!stack_.empty()) {
            const std::uint32_t here = stack_.back();
            stack_.pop_back();
            if (seen_[here] == step_) continue;
            seen_[here] = step_;
            const Instruction& instruction = program_[here];
            switch (instruction.op) {
                case Op::match: return true;
                case Op::bytes: waiting.push_back(here); break;
                case Op::jump: stack_.push_back(instruction.first); break;
                case Op::split:
                    stack_.push_back(instruction.first);
                    stack_.push_back(instruction.second);
                    break;
                default:
                    if (holds(instruction.op, at)) stack_.push_back(here + 1);
            }
        }
        return false;
    }

    std::vector<std::uint32_t> waiting;

  private:
    bool holds(Op assertion, std::size_t at) const {
        if (assertion == Op::begin) return at == 0;
        if (assertion == Op::end) return at == text_.size();
        const auto is_word = [&](std::size_t i) {
            return i < text_.size() && word_bytes_[static_cast<unsigned char>(text_[i])];
        };
        const bool boundary = (at > 0 && is_word(at - 1)) != is_word(at);
        return boundary == (assertion == Op::boundary);
    }

    const ByteSet word_bytes_ = regexp_word_bytes();
    const std::vector<Instruction>& program_;
    std::string_view text_;
    std::vector<std::uint64_t> seen_;
    std::vector<std::uint32_t> stack_;
    std::uint64_t step_ = 0;
};

}  // namespace

Result<Regexp> Regexp::compile(std::string_view pattern) {
    if (pattern.size() > kPatternMax)
        return Error{Errc::invalid, "regexp of " + std::to_string(pattern.size()) +
                                        " bytes, at most " + std::to_string(kPatternMax) +
                                        " are allowed"};
    const Node node = TRY(parse_regexp(pattern));
    Compiler compiler;
    if (!compiler.emit(node))
        return Error{Errc::invalid, "regexp \"" + std::string(pattern) +
                                        "\" repeats too much; shorten its {m,n} repetitions"};
    compiler.add({Op::match});
    Regexp regexp;
    regexp.program_ = std::move(compiler.program);
    regexp.sets_ = std::move(compiler.sets);
    return regexp;
}

bool Regexp::search(std::string_view text) const {
    Threads threads(program_, text);
    threads.start_step();
    if (threads.add(0, 0)) return true;
    std::vector<std::uint32_t> before;
    for (std::size_t at = 0; at < text.size(); ++at) {
        before.swap(threads.waiting);
        threads.start_step();
        const auto byte = static_cast<unsigned char>(text[at]);
        for (const std::uint32_t here : before) {
            if (sets_[program_[here].first][byte] && threads.add(here + 1, at + 1)) return true;
        }
        if (threads.add(0, at + 1)) return true;  // a match may begin anywhere
    }
    return false;
}

}  // namespace gaggle
