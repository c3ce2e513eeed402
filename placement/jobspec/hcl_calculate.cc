#include <cmath>

#include "placement/jobspec/convert.h"
#include "placement/jobspec/hcl_eval.h"

namespace gaggle::hcl {

namespace {

double real_of(const Value& number) {
    const auto* whole = std::get_if<std::int64_t>(&number.data);
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(number.data);
}

/// Exact while both are whole and the result fits; nothing otherwise.
std::optional<Value> whole_result(char operation, const Value& left, const Value& right) {
    const auto* a = std::get_if<std::int64_t>(&left.data);
    const auto* b = std::get_if<std::int64_t>(&right.data);
    if (a == nullptr || b == nullptr) return std::nullopt;
    std::int64_t result = 0;
    const bool lost = operation == '+'   ? __builtin_add_overflow(*a, *b, &result)
                      : operation == '-' ? __builtin_sub_overflow(*a, *b, &result)
                      : operation == '*' ? __builtin_mul_overflow(*a, *b, &result)
                                         : true;
    if (lost) return std::nullopt;
    return Value{result};
}

double real_result(char operation, double a, double b) {
    switch (operation) {
        case '+': return a + b;
        case '-': return a - b;
        case '*': return a * b;
        case '/': return a / b;
        default: return std::fmod(a, b);
    }
}

bool compare(const std::string& operation, const Value& left, const Value& right) {
    const auto* a = std::get_if<std::int64_t>(&left.data);
    const auto* b = std::get_if<std::int64_t>(&right.data);
    const auto order = a != nullptr && b != nullptr ? std::partial_ordering(*a <=> *b)
                                                    : real_of(left) <=> real_of(right);
    if (operation == "<") return order < 0;
    if (operation == "<=") return order <= 0;
    if (operation == ">") return order > 0;
    return order >= 0;
}

bool is_number(const Value& value) {
    return std::holds_alternative<std::int64_t>(value.data) ||
           std::holds_alternative<double>(value.data);
}

bool equal(const Value& left, const Value& right) {
    if (is_number(left) && is_number(right))
        return left == right || real_of(left) == real_of(right);
    return left == right;
}

}  // namespace

Result<Value> calculate(const std::string& operation, const Value& left, const Value& right) {
    if (operation == "==") return Value{equal(left, right)};
    if (operation == "!=") return Value{!equal(left, right)};
    const auto a = as_number(left);
    const auto b = as_number(right);
    if (!a || !b)
        return Error{Errc::invalid,
                     "`" + operation + "` wants numbers, found " + kind_of(a ? right : left)};
    if (operation[0] == '<' || operation[0] == '>') return Value{compare(operation, *a, *b)};
    const char kind = operation[0];
    if ((kind == '/' || kind == '%') && real_of(*b) == 0)
        return Error{Errc::invalid, "division by zero"};
    if (auto whole = whole_result(kind, *a, *b)) return *std::move(whole);
    const double result = real_result(kind, real_of(*a), real_of(*b));
    if (!std::isfinite(result))
        return Error{Errc::invalid, "the result of `" + operation + "` is too large"};
    return normalized(result);
}

}  // namespace gaggle::hcl
