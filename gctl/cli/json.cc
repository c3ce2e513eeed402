#include "gctl/cli/json.h"

#include "placement/jobspec/value_json.h"

namespace gaggle::cli {

namespace {

const Value kNull;

void put_line(std::string& out, int depth) {
    out += '\n';
    out.append(static_cast<std::size_t>(depth) * 2, ' ');
}

void put(std::string& out, const Value& value, int depth) {
    if (const auto* list = std::get_if<Value::List>(&value.data); list && !list->empty()) {
        out += '[';
        for (std::size_t i = 0; i < list->size(); ++i) {
            if (i > 0) out += ',';
            put_line(out, depth + 1);
            put(out, (*list)[i], depth + 1);
        }
        put_line(out, depth);
        out += ']';
    } else if (const auto* map = std::get_if<Value::Map>(&value.data); map && !map->empty()) {
        out += '{';
        bool first = true;
        for (const auto& [name, item] : *map) {
            if (!first) out += ',';
            first = false;
            put_line(out, depth + 1);
            out += value_to_json(Value{name}) + ": ";
            put(out, item, depth + 1);
        }
        put_line(out, depth);
        out += '}';
    } else {
        out += value_to_json(value);
    }
}

}  // namespace

Json Json::operator[](std::string_view name) const {
    const auto* map = std::get_if<Value::Map>(&value_->data);
    if (map == nullptr) return Json(kNull);
    const auto found = map->find(std::string(name));
    return Json(found == map->end() ? kNull : found->second);
}

std::string Json::text() const {
    const auto* text = std::get_if<std::string>(&value_->data);
    return text == nullptr ? "" : *text;
}

std::int64_t Json::whole() const {
    if (const auto* number = std::get_if<std::int64_t>(&value_->data)) return *number;
    const double number = real();
    const bool fits = number > -9e18 && number < 9e18;
    return fits ? static_cast<std::int64_t>(number) : 0;
}

double Json::real() const {
    if (const auto* number = std::get_if<std::int64_t>(&value_->data))
        return static_cast<double>(*number);
    const auto* number = std::get_if<double>(&value_->data);
    return number == nullptr ? 0 : *number;
}

bool Json::flag() const {
    const auto* flag = std::get_if<bool>(&value_->data);
    return flag != nullptr && *flag;
}

std::vector<Json> Json::items() const {
    std::vector<Json> out;
    if (const auto* list = std::get_if<Value::List>(&value_->data))
        for (const Value& item : *list) out.emplace_back(item);
    return out;
}

std::vector<std::pair<std::string, Json>> Json::fields() const {
    std::vector<std::pair<std::string, Json>> out;
    if (const auto* map = std::get_if<Value::Map>(&value_->data))
        for (const auto& [name, item] : *map) out.emplace_back(name, Json(item));
    return out;
}

std::vector<std::string> Json::texts() const {
    std::vector<std::string> out;
    for (const Json& item : items()) out.push_back(item.text());
    return out;
}

std::map<std::string, std::string> Json::text_map() const {
    std::map<std::string, std::string> out;
    for (const auto& [name, item] : fields()) out[name] = item.text();
    return out;
}

std::map<std::string, std::int64_t> Json::whole_map() const {
    std::map<std::string, std::int64_t> out;
    for (const auto& [name, item] : fields()) out[name] = item.whole();
    return out;
}

std::string pretty(const Value& value) {
    std::string out;
    put(out, value, 0);
    return out + "\n";
}

std::string pretty(std::string_view text) {
    const auto value = value_from_json(text);
    return value.ok() ? pretty(*value) : std::string(text);
}

}  // namespace gaggle::cli
