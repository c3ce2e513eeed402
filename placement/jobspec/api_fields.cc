#include "placement/jobspec/api_fields.h"

#include <algorithm>
#include <limits>

#include "placement/jobspec/convert.h"

namespace gaggle {

namespace {

/// Nothing asked for: null, zero, or only such things inside.
bool is_empty(const Value& value) {
    if (const auto* list = std::get_if<Value::List>(&value.data))
        return std::all_of(list->begin(), list->end(), is_empty);
    if (const auto* map = std::get_if<Value::Map>(&value.data))
        return std::all_of(map->begin(), map->end(),
                           [](const auto& item) { return is_empty(item.second); });
    return value == schema::kNull || value == schema::kNoText || value == schema::kNoNumber ||
           value == schema::kFalse || value == Value{0.0};
}

}  // namespace

const Value* ApiReader::find(const std::string& name) const {
    const auto found = object_.find(name);
    if (name.empty() || found == object_.end() || found->second == schema::kNull) return nullptr;
    return &found->second;
}

const Value::Map* ApiReader::object_in(const char* name) {
    const Value* value = find(name);
    if (value == nullptr) return nullptr;
    const auto* object = std::get_if<Value::Map>(&value->data);
    if (object == nullptr)
        complain(name, std::string("wanted an object, found ") + kind_of(*value));
    return object;
}

std::vector<const Value::Map*> ApiReader::objects_in(const char* name) {
    const Value* value = find(name);
    if (value == nullptr) return {};
    const auto* list = std::get_if<Value::List>(&value->data);
    std::vector<const Value::Map*> objects;
    if (list == nullptr)
        complain(name, std::string("wanted a list of objects, found ") + kind_of(*value));
    else
        for (const Value& item : *list) {
            const auto* object = std::get_if<Value::Map>(&item.data);
            if (object != nullptr)
                objects.push_back(object);
            else
                complain(name, std::string("wanted objects in the list, found ") + kind_of(item));
        }
    return objects;
}

void ApiReader::complain(const std::string& name, const std::string& problem) {
    if (!problem.empty()) problems_.push_back(path_ + name + ": " + problem);
}

void ApiReader::later(const char* hcl, const char* name, const Value& zero) {
    const Value* value = find(name);
    if (value == nullptr || *value == zero || is_empty(*value)) return;
    complain(name, "`" + std::string(hcl) +
                       "` is Nomad's, but this version of Gaggle does not run it yet");
}

void ApiWriter::pairs(const char*, const char* name,
                      const std::map<std::string, std::string>& field) {
    Value::Map map;
    for (const auto& [key, text] : field) map.emplace(key, Value{text});
    put(name, map.empty() ? Value{} : Value{std::move(map)});
}

void ApiWriter::lists(const char*, const char* name,
                      const std::map<std::string, std::vector<std::string>>& field) {
    Value::Map map;
    for (const auto& [key, texts] : field) map.emplace(key, to_value(texts));
    put(name, map.empty() ? Value{} : Value{std::move(map)});
}

void ApiWriter::free(const char*, const char* name, const Value::Map& field) {
    put(name, field.empty() ? Value{} : Value{field});
}

Value ApiWriter::to_value(Duration field) {
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max() / 1000;
    return Value{std::clamp(field.count(), -kMax, kMax) * 1000};
}

Value ApiWriter::to_value(const std::vector<std::string>& field) {
    Value::List list;
    for (const std::string& text : field) list.push_back(Value{text});
    return list.empty() ? Value{} : Value{std::move(list)};
}

}  // namespace gaggle
