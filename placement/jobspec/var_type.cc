#include "placement/jobspec/var_type.h"

#include <algorithm>

#include "placement/jobspec/convert.h"

namespace gaggle::hcl {

namespace {

using Kind = VarType::Kind;

const std::vector<std::string> kTypeNames{"string", "number", "bool",   "any",  "list",
                                          "set",    "map",    "object", "tuple"};

std::nullopt_t refuse(const Expression& at, const std::string& message, Diagnostics& diagnostics,
                      const std::string& hint = "") {
    diagnostics.error(at.at, message, hint);
    return std::nullopt;
}

std::optional<VarType> plain(const Expression& at, const std::string& name,
                             Diagnostics& diagnostics) {
    if (name == "string") return VarType{.kind = Kind::string};
    if (name == "number") return VarType{.kind = Kind::number};
    if (name == "bool") return VarType{.kind = Kind::boolean};
    if (name == "any") return VarType{.kind = Kind::any};
    // Without a type of its items, as older files have it.
    if (name == "list" || name == "set" || name == "map")
        return VarType{.kind = name == "list"  ? Kind::list
                               : name == "set" ? Kind::set
                                               : Kind::map,
                       .inner = {VarType{}}};
    return refuse(at, "unknown type `" + name + "`", diagnostics, did_you_mean(name, kTypeNames));
}

std::optional<VarType> object_type(const Expression& inside, Diagnostics& diagnostics) {
    const auto* object = std::get_if<ObjectOf>(&inside.form);
    if (object == nullptr)
        return refuse(inside, "`object` wants its fields: object({name = string})", diagnostics);
    VarType type{.kind = Kind::object};
    for (const auto& [key, value] : object->items) {
        const auto* literal = std::get_if<Literal>(&key->form);
        const auto name = literal == nullptr ? std::nullopt : gaggle::as_text(literal->value);
        auto field = var_type(*value, diagnostics);
        if (!name) return refuse(*key, "the name of a field is a plain word", diagnostics);
        if (!field) return std::nullopt;
        type.fields[*name] = *std::move(field);
    }
    return type;
}

std::optional<VarType> tuple_type(const Expression& inside, Diagnostics& diagnostics) {
    const auto* list = std::get_if<ListOf>(&inside.form);
    if (list == nullptr)
        return refuse(inside, "`tuple` wants a list of types: tuple([string, number])",
                      diagnostics);
    VarType type{.kind = Kind::tuple};
    for (const ExpressionPtr& item : list->items) {
        auto one = var_type(*item, diagnostics);
        if (!one) return std::nullopt;
        type.inner.push_back(*std::move(one));
    }
    return type;
}

std::optional<VarType> with_arguments(const Expression& whole, const Call& call,
                                      Diagnostics& diagnostics) {
    if (call.arguments.size() != 1)
        return refuse(whole, "type `" + call.name + "` wants one argument", diagnostics);
    const Expression& inside = *call.arguments[0];
    if (call.name == "object") return object_type(inside, diagnostics);
    if (call.name == "tuple") return tuple_type(inside, diagnostics);
    auto inner = var_type(inside, diagnostics);
    if (!inner) return std::nullopt;
    if (call.name == "optional") {
        inner->optional = true;
        return inner;
    }
    if (call.name == "list" || call.name == "set" || call.name == "map") {
        const Kind kind = call.name == "list"  ? Kind::list
                          : call.name == "set" ? Kind::set
                                               : Kind::map;
        return VarType{.kind = kind, .inner = {*std::move(inner)}};
    }
    return refuse(whole, "unknown type `" + call.name + "`", diagnostics,
                  did_you_mean(call.name, kTypeNames));
}

Error misfit(const char* what, const Value& value) {
    return {Errc::invalid, std::string("wanted ") + what + ", found " + kind_of(value)};
}

template <class T>
Result<Value> primitive(std::optional<T> converted, const char* what, const Value& value) {
    if (!converted) return misfit(what, value);
    if constexpr (std::is_same_v<T, Value>)
        return *std::move(converted);
    else
        return Value{*std::move(converted)};
}

Result<Value> as_list(const Value& value, const VarType& type) {
    const auto* list = std::get_if<Value::List>(&value.data);
    if (list == nullptr) return misfit("a list", value);
    if (type.kind == Kind::tuple && list->size() != type.inner.size())
        return Error{Errc::invalid, "wanted " + std::to_string(type.inner.size()) +
                                        " items, found " + std::to_string(list->size())};
    Value::List result;
    for (std::size_t i = 0; i < list->size(); ++i) {
        auto item = converted((*list)[i], type.inner[type.kind == Kind::tuple ? i : 0]);
        if (!item.ok()) return within("item " + std::to_string(i), std::move(item).error());
        const bool there = std::find(result.begin(), result.end(), *item) != result.end();
        if (type.kind != Kind::set || !there) result.push_back(*std::move(item));
    }
    return Value{std::move(result)};
}

Result<Value> as_map(const Value& value, const VarType& type) {
    const auto* map = std::get_if<Value::Map>(&value.data);
    if (map == nullptr) return misfit("a map", value);
    Value::Map result;
    for (const auto& [key, item] : *map) {
        auto one = converted(item, type.inner[0]);
        if (!one.ok()) return within("`" + key + "`", std::move(one).error());
        result.emplace(key, *std::move(one));
    }
    return Value{std::move(result)};
}

/// Fields that the type does not name are left out, as in HCL.
Result<Value> as_object(const Value& value, const VarType& type) {
    const auto* map = std::get_if<Value::Map>(&value.data);
    if (map == nullptr) return misfit("an object", value);
    Value::Map result;
    for (const auto& [name, field] : type.fields) {
        const auto found = map->find(name);
        if (found == map->end() && !field.optional)
            return Error{Errc::invalid, "field `" + name + "` is missing"};
        auto one = converted(found == map->end() ? Value{} : found->second, field);
        if (!one.ok()) return within("`" + name + "`", std::move(one).error());
        result.emplace(name, *std::move(one));
    }
    return Value{std::move(result)};
}

}  // namespace

std::optional<VarType> var_type(const Expression& expression, Diagnostics& diagnostics) {
    if (const auto* call = std::get_if<Call>(&expression.form))
        return with_arguments(expression, *call, diagnostics);
    const auto* word = std::get_if<Traversal>(&expression.form);
    if (word != nullptr && word->steps.empty()) return plain(expression, word->root, diagnostics);
    const auto* literal =
        std::get_if<Literal>(&expression.form);  // "string" in quotes: older files
    const auto* text =
        literal == nullptr ? nullptr : std::get_if<std::string>(&literal->value.data);
    if (text != nullptr) return plain(expression, *text, diagnostics);
    return refuse(expression, "expected a type", diagnostics,
                  "such as string, number or list(string)");
}

Result<Value> converted(const Value& value, const VarType& type) {
    if (type.kind == Kind::any || std::holds_alternative<std::monostate>(value.data)) return value;
    switch (type.kind) {
        case Kind::string: return primitive(gaggle::as_text(value), "a string", value);
        case Kind::number: return primitive(as_number(value), "a number", value);
        case Kind::boolean: return primitive(as_bool(value), "true or false", value);
        case Kind::list:
        case Kind::set:
        case Kind::tuple: return as_list(value, type);
        case Kind::map: return as_map(value, type);
        default: return as_object(value, type);
    }
}

}  // namespace gaggle::hcl
