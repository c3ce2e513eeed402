// What an expression is worth.
//
// Only `var` is known here. Any other name is for the peer that runs the task and is given back as
// its source text in `${}` (`attr.kernel.name` becomes "${attr.kernel.name}"), as Nomad does it; so
// an operator on it sees that text. Work is bounded: a text may name a large variable many times,
// but all values together stay below kEvaluatedBytesMax.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "placement/jobspec/hcl_ast.h"

namespace gaggle::hcl {

constexpr std::size_t kEvaluatedBytesMax = 16U << 20U;

/// What expressions may name.
struct Scope {
    Value::Map variables;
    std::set<std::string>
        broken;  ///< declared, but their value has an error that is reported already
    bool variables_allowed = true;  ///< false for the defaults and values of variables
};

class Evaluator {
  public:
    /// Both must outlive the evaluator.
    Evaluator(const Scope& scope, Diagnostics& diagnostics)
        : scope_(scope), diagnostics_(diagnostics) {}

    /// Nothing after an error, which has been reported.
    std::optional<Value> value_of(const Expression& expression);

  private:
    using Maybe = std::optional<Value>;

    Maybe on(const Expression& whole, const Literal& form);
    Maybe on(const Expression& whole, const Template& form);
    Maybe on(const Expression& whole, const Traversal& form);
    Maybe on(const Expression& whole, const Access& form);
    Maybe on(const Expression& whole, const ListOf& form);
    Maybe on(const Expression& whole, const ObjectOf& form);
    Maybe on(const Expression& whole, const Unary& form);
    Maybe on(const Expression& whole, const Binary& form);
    Maybe on(const Expression& whole, const Conditional& form);
    Maybe on(const Expression& whole, const Call& form);

    Maybe variable(const Expression& whole, const Traversal& form);
    /// The part of `from` that the steps from number `first` on lead to.
    Maybe follow(const Value& from, const std::vector<Step>& steps, std::size_t first);
    const Value* part(const Value& from, const Value& index, Position at);
    std::optional<bool> truth(const Expression& operand);
    Maybe logic(const Binary& form);
    std::nullopt_t fail(Position at, std::string message, std::string hint = "");
    /// Counts against kEvaluatedBytesMax.
    bool afford(std::size_t bytes, Position at);

    const Scope& scope_;
    Diagnostics& diagnostics_;
    std::size_t spent_ = 0;
};

/// `left operation right` for arithmetic, comparison and equality; Errc::invalid says what is
/// wrong.
Result<Value> calculate(const std::string& operation, const Value& left, const Value& right);

}  // namespace gaggle::hcl
