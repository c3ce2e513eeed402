#include "placement/jobspec/value_json.h"

#include <nlohmann/json.hpp>

namespace gaggle {

namespace {

using Json = nlohmann::json;

/// Builds the value from the inside of the parser, so that depth is judged before it is used.
class Builder : public nlohmann::json_sax<Json> {
  public:
    bool null() override { return put(Value{}); }
    bool boolean(bool value) override { return put(Value{value}); }
    bool number_integer(number_integer_t value) override { return put(Value{std::int64_t{value}}); }
    bool number_unsigned(number_unsigned_t value) override {
        if (value > static_cast<std::uint64_t>(INT64_MAX))
            return put(Value{static_cast<double>(value)});
        return put(Value{static_cast<std::int64_t>(value)});
    }
    bool number_float(number_float_t value, const string_t&) override { return put(Value{value}); }
    bool string(string_t& value) override { return put(Value{std::move(value)}); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(Value{Value::Map{}}); }
    bool start_array(std::size_t) override { return open(Value{Value::List{}}); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t& name) override {
        levels_.back().key = std::move(name);
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
        problem = error.what();
        if (const auto colon = problem.find("] "); colon != std::string::npos)
            problem.erase(0, colon + 2);  // the library's own error number
        return false;
    }

    Value whole;
    std::string problem;

  private:
    struct Level {
        Value value;
        std::string key;  ///< of an object: where the next value goes
    };

    bool put(Value value) {
        if (levels_.empty()) {
            whole = std::move(value);
        } else if (auto* list = std::get_if<Value::List>(&levels_.back().value.data)) {
            list->push_back(std::move(value));
        } else {
            std::get<Value::Map>(levels_.back().value.data)[levels_.back().key] = std::move(value);
        }
        return true;
    }
    bool open(Value value) {
        if (levels_.size() >= kJsonNestingMax) {
            problem = "nested deeper than " + std::to_string(kJsonNestingMax) + " levels";
            return false;
        }
        levels_.push_back({.value = std::move(value), .key = ""});
        return true;
    }
    bool close() {
        Value done = std::move(levels_.back().value);
        levels_.pop_back();
        return put(std::move(done));
    }

    std::vector<Level> levels_;
};

Json to_json(const Value& value) {
    return std::visit(
        [](const auto& data) -> Json {
            using T = std::decay_t<decltype(data)>;
            if constexpr (std::is_same_v<T, std::monostate>) {
                return nullptr;
            } else if constexpr (std::is_same_v<T, Value::List>) {
                Json list = Json::array();
                for (const Value& item : data) list.push_back(to_json(item));
                return list;
            } else if constexpr (std::is_same_v<T, Value::Map>) {
                Json map = Json::object();
                for (const auto& [key, item] : data) map.emplace(key, to_json(item));
                return map;
            } else {
                return data;
            }
        },
        value.data);
}

}  // namespace

Result<Value> value_from_json(std::string_view text) {
    Builder builder;
    try {
        if (Json::sax_parse(text, &builder)) return std::move(builder.whole);
    } catch (const Json::exception& error) {
        builder.problem = error.what();
    }
    return Error{Errc::invalid, "not JSON: " + builder.problem};
}

std::string value_to_json(const Value& value, JsonLayout layout) {
    const int blanks = layout == JsonLayout::indented ? 4 : -1;
    return to_json(value).dump(blanks, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gaggle
