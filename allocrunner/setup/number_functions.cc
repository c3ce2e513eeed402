// consul-template's functions on numbers and on time.
#include <array>
#include <cmath>
#include <functional>

#include "allocrunner/setup/go_literal.h"
#include "allocrunner/setup/go_time.h"
#include "allocrunner/setup/template_functions.h"

namespace gaggle::setup {

namespace {

constexpr std::int64_t kLoopMax = 1'000'000;

enum class Sum { add, subtract, multiply, divide, modulo };

Result<Datum> whole_sum(Sum sum, std::int64_t a, std::int64_t b) {
    std::int64_t out = 0;
    bool over = false;
    switch (sum) {
        case Sum::add: over = __builtin_add_overflow(a, b, &out); break;
        case Sum::subtract: over = __builtin_sub_overflow(a, b, &out); break;
        case Sum::multiply: over = __builtin_mul_overflow(a, b, &out); break;
        case Sum::divide:
        case Sum::modulo:
            if (b == 0) return Error{Errc::invalid, "division by 0"};
            if (b == -1)  // the one quotient that does not fit; every remainder is 0
                over = sum == Sum::divide && __builtin_sub_overflow(std::int64_t{0}, a, &out);
            else
                out = sum == Sum::divide ? a / b : a % b;
    }
    if (over) return Error{Errc::invalid, "the result is beyond 64 bits"};
    return Datum{out};
}

Result<Datum> real_sum(Sum sum, double a, double b) {
    switch (sum) {
        case Sum::add: return Datum{a + b};
        case Sum::subtract: return Datum{a - b};
        case Sum::multiply: return Datum{a * b};
        case Sum::divide:
            if (b == 0) return Error{Errc::invalid, "division by 0"};
            return Datum{a / b};
        case Sum::modulo: return Error{Errc::invalid, "wants whole numbers"};
    }
    return Datum{};
}

/// The second argument is the piped one: `10 | divide 2` is 5.
Result<Datum> of_two(const Arguments& in, Sum sum) {
    if (in[0].whole() != nullptr && in[1].whole() != nullptr)
        return whole_sum(sum, *in[1].whole(), *in[0].whole());
    const double b = TRY(in.real(0));
    return real_sum(sum, TRY(in.real(1)), b);
}
Result<Datum> add(const Arguments& in) { return of_two(in, Sum::add); }
Result<Datum> subtract(const Arguments& in) { return of_two(in, Sum::subtract); }
Result<Datum> multiply(const Arguments& in) { return of_two(in, Sum::multiply); }
Result<Datum> divide(const Arguments& in) { return of_two(in, Sum::divide); }
Result<Datum> modulo(const Arguments& in) { return of_two(in, Sum::modulo); }

Result<Datum> minimum(const Arguments& in) {
    TRY(in.real(0));
    TRY(in.real(1));
    return TRY(compare(in[0], in[1])) <= 0 ? in[0] : in[1];
}
Result<Datum> maximum(const Arguments& in) {
    TRY(in.real(0));
    TRY(in.real(1));
    return TRY(compare(in[0], in[1])) >= 0 ? in[0] : in[1];
}

Error no(const std::string& text, const char* what) {
    return {Errc::invalid, go_quoted(text) + " is no " + what};
}

Result<Datum> parse_int(const Arguments& in) {
    const std::string& text = *TRY(in.text(0));
    if (text.empty()) return Datum{std::int64_t{0}};
    const auto value = go_int(text, 10);
    if (!value) return no(text, "whole number of 64 bits");
    return Datum{*value};
}

Result<Datum> parse_uint(const Arguments& in) {
    const Datum value = TRY(parse_int(in));
    if (*value.whole() < 0) return no(*TRY(in.text(0)), "number from 0 on");
    return value;
}

Result<Datum> parse_float(const Arguments& in) {
    const std::string& text = *TRY(in.text(0));
    if (text.empty()) return Datum{0.0};
    const auto value = go_float(text);
    if (!value) return no(text, "number");
    return Datum{*value};
}

Result<Datum> parse_bool(const Arguments& in) {
    const std::string& text = *TRY(in.text(0));
    for (const char* yes : {"1", "t", "T", "true", "TRUE", "True"})
        if (text == yes) return Datum{true};
    for (const char* nope : {"", "0", "f", "F", "false", "FALSE", "False"})
        if (text == nope) return Datum{false};
    return no(text, "truth value; write true or false");
}

Result<Datum> loop(const Arguments& in) {
    const std::int64_t first = in.size() == 2 ? TRY(in.whole(0)) : 0;
    const std::int64_t end = TRY(in.whole(in.size() - 1));
    DatumList out;
    for (std::int64_t at = first; at < end; ++at) {
        if (static_cast<std::int64_t>(out.size()) >= kLoopMax)
            return Error{Errc::invalid, "loops more than " + std::to_string(kLoopMax) + " times"};
        out.push_back({at});
    }
    return Datum::of(std::move(out));
}

Result<Datum> timestamp(const Arguments& in) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::string layout = in.size() == 1 ? *TRY(in.text(0)) : kRfc3339Layout;
    if (layout == "unix") return Datum{std::to_string(in.world.now.nanoseconds / kSecond)};
    return Datum{go_time(in.world.now, layout)};
}

constexpr std::array kTable = {
    TemplateFunction{"add", 2, 2, add},
    TemplateFunction{"subtract", 2, 2, subtract},
    TemplateFunction{"multiply", 2, 2, multiply},
    TemplateFunction{"divide", 2, 2, divide},
    TemplateFunction{"modulo", 2, 2, modulo},
    TemplateFunction{"minimum", 2, 2, minimum},
    TemplateFunction{"maximum", 2, 2, maximum},
    TemplateFunction{"parseInt", 1, 1, parse_int},
    TemplateFunction{"parseUint", 1, 1, parse_uint},
    TemplateFunction{"parseFloat", 1, 1, parse_float},
    TemplateFunction{"parseBool", 1, 1, parse_bool},
    TemplateFunction{"loop", 1, 2, loop},
    TemplateFunction{"timestamp", 0, 1, timestamp},
};

}  // namespace

std::span<const TemplateFunction> number_functions() { return kTable; }

}  // namespace gaggle::setup
