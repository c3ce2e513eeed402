#include "allocrunner/drivers/driver_config.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace gaggle::allocrunner {

namespace {

bool is_plain(const std::string& text) { return text.find('\0') == std::string::npos; }

std::optional<std::string> as_text(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value.data))
        return is_plain(*text) ? std::optional(*text) : std::nullopt;
    if (const auto* number = std::get_if<std::int64_t>(&value.data)) return std::to_string(*number);
    if (const auto* yes = std::get_if<bool>(&value.data)) return *yes ? "true" : "false";
    return std::nullopt;
}

std::optional<std::int64_t> as_number(const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value.data)) return *number;
    const auto* text = std::get_if<std::string>(&value.data);
    std::int64_t number = 0;
    if (text == nullptr || text->empty()) return std::nullopt;
    const char* const end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, number);
    return read.ec == std::errc() && read.ptr == end ? std::optional(number) : std::nullopt;
}

std::optional<bool> as_flag(const Value& value) {
    if (const auto* yes = std::get_if<bool>(&value.data)) return *yes;
    const auto* text = std::get_if<std::string>(&value.data);
    if (text != nullptr && (*text == "true" || *text == "1")) return true;
    if (text != nullptr && (*text == "false" || *text == "0")) return false;
    return std::nullopt;
}

/// Maps behind an option: `x { }` and `x = { }` alike.
std::optional<std::vector<Value::Map>> as_blocks(const Value& value) {
    if (const auto* one = std::get_if<Value::Map>(&value.data)) return std::vector{*one};
    const auto* list = std::get_if<Value::List>(&value.data);
    if (list == nullptr) return std::nullopt;
    std::vector<Value::Map> out;
    for (const Value& item : *list) {
        const auto* map = std::get_if<Value::Map>(&item.data);
        if (map == nullptr) return std::nullopt;
        out.push_back(*map);
    }
    return out;
}

bool is_map_of_texts(const Value& value) {
    const auto blocks = as_blocks(value);
    if (!blocks) return false;
    return std::all_of(blocks->begin(), blocks->end(), [](const Value::Map& block) {
        return std::all_of(block.begin(), block.end(), [](const auto& entry) {
            return is_plain(entry.first) && as_text(entry.second).has_value();
        });
    });
}

bool is_list_of_texts(const Value& value) {
    const auto* list = std::get_if<Value::List>(&value.data);
    return list != nullptr && std::all_of(list->begin(), list->end(), [](const Value& item) {
               const auto* text = std::get_if<std::string>(&item.data);
               return text != nullptr && is_plain(*text);
           });
}

/// What the value should have been; nothing when it is right.
std::optional<std::string> objection(const Option& option, const Value& value) {
    switch (option.kind) {
        case OptionKind::text: {
            const auto* text = std::get_if<std::string>(&value.data);
            if (text != nullptr && is_plain(*text) && !(option.required && text->empty()))
                return std::nullopt;
            return option.required ? "a string that is not empty" : "a string";
        }
        case OptionKind::texts:
            return is_list_of_texts(value) ? std::nullopt : std::optional("a list of strings");
        case OptionKind::number: {
            const auto number = as_number(value);
            if (number && *number >= option.least && *number <= option.most) return std::nullopt;
            if (option.most == INT64_MAX)
                return fmt::format("a whole number of at least {}", option.least);
            return fmt::format("a whole number from {} to {}", option.least, option.most);
        }
        case OptionKind::flag:
            return as_flag(value) ? std::nullopt : std::optional("true or false");
        case OptionKind::map:
            return is_map_of_texts(value) ? std::nullopt : std::optional("a map of strings");
        case OptionKind::blocks:
            return as_blocks(value) ? std::nullopt : std::optional("a block, or a list of maps");
    }
    return std::nullopt;
}

}  // namespace

Result<void> judge_names(std::string_view driver, const Value::Map& config,
                         std::span<const Option> options) {
    for (const auto& [name, value] : config) {
        if (std::any_of(options.begin(), options.end(),
                        [&, &key = name](const Option& option) { return option.name == key; }))
            continue;
        std::string known;
        for (const Option& option : options) {
            if (!known.empty()) known += ", ";
            known += option.name;
        }
        return {Errc::invalid, fmt::format("config of driver {}: unknown option {}; it knows {}",
                                           driver, name, known)};
    }
    return {};
}

Result<void> judge_config(std::string_view driver, const Value::Map& config,
                          std::span<const Option> options) {
    TRY(judge_names(driver, config, options));
    for (const Option& option : options) {
        const auto found = config.find(std::string(option.name));
        if (found == config.end() && !option.required) continue;
        const auto wanted = objection(option, found == config.end() ? Value{} : found->second);
        if (wanted)
            return {Errc::invalid,
                    fmt::format("config of driver {}: option {} must be {}; write for instance {}",
                                driver, option.name, *wanted, option.example)};
    }
    return {};
}

const Value* ConfigReader::find(std::string_view option) const {
    const auto found = config_.find(std::string(option));
    return found == config_.end() ? nullptr : &found->second;
}

std::string ConfigReader::text(std::string_view option) const {
    const Value* value = find(option);
    return value == nullptr ? std::string() : as_text(*value).value_or("");
}

std::vector<std::string> ConfigReader::texts(std::string_view option) const {
    std::vector<std::string> out;
    const Value* value = find(option);
    const auto* list = value == nullptr ? nullptr : std::get_if<Value::List>(&value->data);
    if (list == nullptr) return out;
    for (const Value& item : *list) out.push_back(as_text(item).value_or(""));
    return out;
}

std::optional<std::int64_t> ConfigReader::number(std::string_view option) const {
    const Value* value = find(option);
    return value == nullptr ? std::nullopt : as_number(*value);
}

bool ConfigReader::flag(std::string_view option) const {
    const Value* value = find(option);
    return value != nullptr && as_flag(*value).value_or(false);
}

std::map<std::string, std::string> ConfigReader::map(std::string_view option) const {
    std::map<std::string, std::string> out;
    for (const Value::Map& block : blocks(option))
        for (const auto& [key, value] : block) out[key] = as_text(value).value_or("");
    return out;
}

std::vector<Value::Map> ConfigReader::blocks(std::string_view option) const {
    const Value* value = find(option);
    if (value == nullptr) return {};
    return as_blocks(*value).value_or(std::vector<Value::Map>());
}

}  // namespace gaggle::allocrunner
