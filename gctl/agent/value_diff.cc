#include "gctl/agent/value_diff.h"

#include "placement/jobspec/convert.h"
#include "placement/jobspec/value_json.h"

namespace gaggle {

namespace {

bool is_null(const Value& value) { return std::holds_alternative<std::monostate>(value.data); }
bool is_object(const Value& value) { return std::holds_alternative<Object>(value.data); }
bool is_list(const Value& value) { return std::holds_alternative<List>(value.data); }

/// Flattened into fields of the object around them.
bool is_pairs(const std::string& name) { return name == "Meta" || name == "Env"; }
/// Flattened into fields of an object of their own: free-form, and the order of lists counts.
bool is_config(const std::string& name) { return name == "Config"; }

const Value& member_of(const Value& value, const std::string& name) {
    static const Value nothing;
    const Value* found = member(value, name);
    return found == nullptr ? nothing : *found;
}

std::string text_of(const Value& value) { return as_text(value).value_or(""); }

/// "Constraints" to "Constraint": an ObjectDiff is about one of the list.
std::string singular(const std::string& name) {
    if (name.ends_with("ies")) return name.substr(0, name.size() - 3) + "y";
    return name.ends_with('s') ? name.substr(0, name.size() - 1) : name;
}

void flatten(const std::string& name, const Value& value, std::map<std::string, std::string>& out) {
    if (const auto* object = std::get_if<Object>(&value.data)) {
        for (const auto& [key, item] : *object)
            flatten(name.empty() ? key : name + "." + key, item, out);
    } else if (const auto* list = std::get_if<List>(&value.data)) {
        for (std::size_t at = 0; at < list->size(); ++at)
            flatten(name + "[" + std::to_string(at) + "]", (*list)[at], out);
    } else if (!is_null(value)) {
        out[name] = text_of(value);
    }
}

void add_field(List& fields, const std::string& name, const std::string& before,
               const std::string& after) {
    if (before != after) fields.push_back(field_diff(name, before, after));
}

void add_fields(List& fields, const std::map<std::string, std::string>& before,
                const std::map<std::string, std::string>& after) {
    const auto text = [](const auto& map, const std::string& name) {
        const auto found = map.find(name);
        return found == map.end() ? std::string() : found->second;
    };
    std::set<std::string> names;
    for (const auto& [name, value] : before) names.insert(name);
    for (const auto& [name, value] : after) names.insert(name);
    for (const std::string& name : names)
        add_field(fields, name, text(before, name), text(after, name));
}

void add_object(List& objects, const std::string& name, const Value& before, const Value& after,
                ValueDiff diff) {
    if (!diff.any()) return;
    objects.push_back(val(Object{{"Type", val(diff_type(before, after, true))},
                                 {"Name", val(name)},
                                 {"Fields", or_null(diff.fields)},
                                 {"Objects", or_null(diff.objects)}}));
}

void diff_pairs(ValueDiff& out, const std::string& name, const Value& before, const Value& after) {
    const auto named = [&](const Value& value) {
        std::map<std::string, std::string> texts;
        if (const auto* object = std::get_if<Object>(&value.data))
            for (const auto& [key, item] : *object) texts[name + "[" + key + "]"] = text_of(item);
        return texts;
    };
    add_fields(out.fields, named(before), named(after));
}

void diff_config(ValueDiff& out, const std::string& name, const Value& before, const Value& after) {
    std::map<std::string, std::string> old_texts, new_texts;
    flatten("", before, old_texts);
    flatten("", after, new_texts);
    ValueDiff inner;
    add_fields(inner.fields, old_texts, new_texts);
    add_object(out.objects, name, before, after, std::move(inner));
}

/// What an item of a list is matched by: its name, or all of it.
std::string identity_of(const Value& item) {
    for (const char* key : {"Name", "Label", "Mode"})
        if (const Value* name = member(item, key); name != nullptr && !text_of(*name).empty())
            return text_of(*name);
    return value_to_json(item);
}

/// Items of equal identity are told apart by their order.
std::map<std::pair<std::string, std::size_t>, const Value*> items_of(const Value& value) {
    std::map<std::pair<std::string, std::size_t>, const Value*> items;
    const auto* list = std::get_if<List>(&value.data);
    if (list == nullptr) return items;
    for (const Value& item : *list) {
        std::pair<std::string, std::size_t> key{identity_of(item), 0};
        while (items.contains(key)) ++key.second;
        items[key] = &item;
    }
    return items;
}

void diff_lists(ValueDiff& out, const std::string& name, const Value& before, const Value& after) {
    static const Value nothing;
    const auto old_items = items_of(before);
    const auto new_items = items_of(after);
    auto all = old_items;
    all.insert(new_items.begin(), new_items.end());
    ValueDiff texts;
    for (const auto& [key, item] : all) {
        const auto was = old_items.find(key);
        const auto is = new_items.find(key);
        const Value& old_item = was == old_items.end() ? nothing : *was->second;
        const Value& new_item = is == new_items.end() ? nothing : *is->second;
        if (is_object(*item))
            add_object(out.objects, singular(name), old_item, new_item,
                       diff_objects(old_item, new_item));
        else
            add_field(texts.fields, name, text_of(old_item), text_of(new_item));
    }
    add_object(out.objects, name, before, after, std::move(texts));
}

}  // namespace

const char* diff_type(const Value& before, const Value& after, bool any) {
    if (is_null(before) && !is_null(after)) return "Added";
    if (!is_null(before) && is_null(after)) return "Deleted";
    return any ? "Edited" : "None";
}

Value field_diff(const std::string& name, const std::string& before, const std::string& after) {
    const char* type = before.empty() ? "Added" : after.empty() ? "Deleted" : "Edited";
    return val(Object{{"Type", val(type)},
                      {"Name", val(name)},
                      {"Old", val(before)},
                      {"New", val(after)},
                      {"Annotations", null()}});
}

ValueDiff diff_objects(const Value& before, const Value& after,
                       const std::set<std::string>& skipped) {
    std::set<std::string> names;
    for (const Value* side : {&before, &after})
        if (const auto* object = std::get_if<Object>(&side->data))
            for (const auto& [name, item] : *object) names.insert(name);
    ValueDiff out;
    for (const std::string& name : names) {
        if (skipped.contains(name)) continue;
        const Value& was = member_of(before, name);
        const Value& is = member_of(after, name);
        if (is_pairs(name))
            diff_pairs(out, name, was, is);
        else if (is_config(name))
            diff_config(out, name, was, is);
        else if (is_list(was) || is_list(is))
            diff_lists(out, name, was, is);
        else if (is_object(was) || is_object(is))
            add_object(out.objects, name, was, is, diff_objects(was, is));
        else
            add_field(out.fields, name, text_of(was), text_of(is));
    }
    return out;
}

}  // namespace gaggle
