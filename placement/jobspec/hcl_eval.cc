#include "placement/jobspec/hcl_eval.h"

#include "placement/jobspec/convert.h"

namespace gaggle::hcl {

std::optional<Value> Evaluator::value_of(const Expression& expression) {
    return std::visit([&](const auto& form) { return on(expression, form); }, expression.form);
}

std::nullopt_t Evaluator::fail(Position at, std::string message, std::string hint) {
    diagnostics_.error(at, std::move(message), std::move(hint));
    return std::nullopt;
}

bool Evaluator::afford(std::size_t bytes, Position at) {
    const bool before = spent_ > kEvaluatedBytesMax;
    if (!before) spent_ += bytes;
    if (spent_ <= kEvaluatedBytesMax) return true;
    if (!before)
        fail(at,
             "the job's values together exceed " + std::to_string(kEvaluatedBytesMax >> 20U) +
                 " MiB",
             "name large variables less often");
    return false;
}

std::optional<Value> Evaluator::on(const Expression& whole, const Literal& form) {
    if (!afford(weight_of(form.value), whole.at)) return std::nullopt;
    return form.value;
}

std::optional<Value> Evaluator::on(const Expression& whole, const Template& form) {
    const bool only = form.parts.size() == 1 && form.parts[0].interpolation != nullptr;
    if (only) return value_of(*form.parts[0].interpolation);
    std::string text;
    bool good = true;
    for (const TemplatePart& part : form.parts) {
        if (part.interpolation == nullptr) {
            text += part.text;
            continue;
        }
        const Maybe value = value_of(*part.interpolation);
        const auto shown = value ? as_text(*value) : std::nullopt;
        if (value && !shown)
            fail(part.interpolation->at,
                 std::string(kind_of(*value)) + " cannot stand inside a string");
        good = good && shown;
        if (shown) text += *shown;
    }
    if (!good || !afford(text.size(), whole.at)) return std::nullopt;
    return Value{std::move(text)};
}

std::optional<Value> Evaluator::on(const Expression& whole, const Traversal& form) {
    if (form.root == "var") return variable(whole, form);
    if (form.root == "local")
        return fail(whole.at, "`locals` are not supported yet: " + form.source,
                    "use a `variable` with a default");
    if (!afford(form.source.size(), whole.at)) return std::nullopt;
    return Value{"${" + form.source + "}"};
}

std::optional<Value> Evaluator::variable(const Expression& whole, const Traversal& form) {
    if (!scope_.variables_allowed)
        return fail(whole.at, "the value of a variable cannot name another one: " + form.source);
    if (form.steps.empty()) return fail(whole.at, "`var` alone is no value", "write `var.name`");
    const auto* literal = std::get_if<Literal>(&form.steps[0].index->form);
    const auto* name =
        literal == nullptr ? nullptr : std::get_if<std::string>(&literal->value.data);
    if (name == nullptr) return fail(whole.at, "`var` needs a name after it: " + form.source);
    if (scope_.broken.contains(*name)) return std::nullopt;
    const auto found = scope_.variables.find(*name);
    if (found != scope_.variables.end()) return follow(found->second, form.steps, 1);
    std::vector<std::string> known(scope_.broken.begin(), scope_.broken.end());
    for (const auto& [one, unused] : scope_.variables) known.push_back(one);
    const std::string hint = did_you_mean(*name, known);
    return fail(whole.at, "variable `" + *name + "` is not declared",
                hint.empty() ? "add a block: variable \"" + *name + "\" {}" : hint);
}

std::optional<Value> Evaluator::on(const Expression&, const Access& form) {
    const Maybe from = value_of(*form.from);
    if (!from) return std::nullopt;
    return follow(*from, form.steps, 0);
}

std::optional<Value> Evaluator::follow(const Value& from, const std::vector<Step>& steps,
                                       std::size_t first) {
    const Value* here = &from;
    Position at = steps.empty() ? Position{} : steps.front().at;
    for (std::size_t i = first; i < steps.size(); ++i) {
        at = steps[i].at;
        const Maybe index = value_of(*steps[i].index);
        here = index ? part(*here, *index, at) : nullptr;
        if (here == nullptr) return std::nullopt;
    }
    if (!afford(weight_of(*here), at)) return std::nullopt;
    return *here;
}

const Value* Evaluator::part(const Value& from, const Value& index, Position at) {
    if (const auto* map = std::get_if<Value::Map>(&from.data)) {
        const auto key = gaggle::as_text(index);
        const auto found = key ? map->find(*key) : map->end();
        if (found != map->end()) return &found->second;
        std::vector<std::string> known;
        for (const auto& [one, unused] : *map) known.push_back(one);
        fail(at, "no attribute `" + key.value_or("?") + "` in this object",
             did_you_mean(key.value_or(""), known));
        return nullptr;
    }
    if (const auto* list = std::get_if<Value::List>(&from.data)) {
        const auto number = as_whole(index);
        if (number && *number >= 0 && static_cast<std::size_t>(*number) < list->size())
            return &(*list)[static_cast<std::size_t>(*number)];
        fail(at,
             "no item " + gaggle::as_text(index).value_or("?") + " in this list of " +
                 std::to_string(list->size()),
             "items are counted from 0");
        return nullptr;
    }
    fail(at, std::string(kind_of(from)) + " has no parts to choose from");
    return nullptr;
}

std::optional<Value> Evaluator::on(const Expression& whole, const ListOf& form) {
    Value::List list;
    bool good = afford(sizeof(Value), whole.at);
    for (const ExpressionPtr& item : form.items) {
        Maybe value = value_of(*item);
        good = good && value;
        if (good) list.push_back(std::move(*value));
    }
    if (!good) return std::nullopt;
    return Value{std::move(list)};
}

std::optional<Value> Evaluator::on(const Expression& whole, const ObjectOf& form) {
    Value::Map map;
    bool good = afford(sizeof(Value), whole.at);
    for (const auto& [key_expression, value_expression] : form.items) {
        const Maybe key = value_of(*key_expression);
        Maybe value = value_of(*value_expression);
        const auto name = key ? gaggle::as_text(*key) : std::nullopt;
        if (key && !name) fail(key_expression->at, std::string(kind_of(*key)) + " cannot be a key");
        good = good && name && value;
        if (!good) continue;
        if (!map.emplace(*name, std::move(*value)).second) {
            fail(key_expression->at, "key `" + *name + "` is given twice");
            good = false;
        }
    }
    if (!good) return std::nullopt;
    return Value{std::move(map)};
}

std::optional<Value> Evaluator::on(const Expression& whole, const Unary& form) {
    if (form.operation == '!') {
        const auto flag = truth(*form.operand);
        if (!flag) return std::nullopt;
        return Value{!*flag};
    }
    const Maybe operand = value_of(*form.operand);
    if (!operand) return std::nullopt;
    const auto result = calculate("-", Value{std::int64_t{0}}, *operand);
    if (!result.ok()) return fail(whole.at, result.error().detail);
    return *result;
}

std::optional<Value> Evaluator::on(const Expression& whole, const Binary& form) {
    if (form.operation == "&&" || form.operation == "||") return logic(form);
    const Maybe left = value_of(*form.left);
    const Maybe right = value_of(*form.right);
    if (!left || !right) return std::nullopt;
    auto result = calculate(form.operation, *left, *right);
    if (!result.ok()) return fail(whole.at, result.error().detail);
    return *std::move(result);
}

/// Both sides are evaluated always, as in HCL.
std::optional<Value> Evaluator::logic(const Binary& form) {
    const auto left = truth(*form.left);
    const auto right = truth(*form.right);
    if (!left || !right) return std::nullopt;
    return Value{form.operation == "&&" ? *left && *right : *left || *right};
}

std::optional<bool> Evaluator::truth(const Expression& operand) {
    const Maybe value = value_of(operand);
    if (!value) return std::nullopt;
    const auto flag = as_bool(*value);
    if (!flag) fail(operand.at, std::string("wanted true or false, found ") + kind_of(*value));
    return flag;
}

std::optional<Value> Evaluator::on(const Expression&, const Conditional& form) {
    const auto flag = truth(*form.condition);
    if (!flag) return std::nullopt;
    return value_of(*flag ? *form.yes : *form.no);
}

std::optional<Value> Evaluator::on(const Expression& whole, const Call& form) {
    return fail(whole.at, "functions are not supported yet: `" + form.name + "`",
                "give the value itself, or pass it in as a variable");
}

}  // namespace gaggle::hcl
