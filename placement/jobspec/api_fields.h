// The archives that take a job from the API's JSON and put it there (see schema.h).
//
// Both work on free-form values; the text is value_json's matter. The reader ignores names it was
// not asked for, as Nomad does, but refuses what asks for something that this version does not run.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "placement/jobspec/assign.h"
#include "placement/jobspec/schema_job.h"

namespace gaggle {

class ApiReader {
  public:
    static constexpr bool kHcl = false;

    /// `path` is where `object` stands, as "TaskGroups[0]."; all must outlive the reader.
    ApiReader(const Value::Map& object, std::string path, std::vector<std::string>& problems)
        : object_(object), path_(std::move(path)), problems_(problems) {}

    template <class T>
    void attribute(const char*, const char* name, T& field) {
        if (const Value* value = find(name)) complain(name, assign(*value, field));
    }
    template <class T>
    void choice(const char*, const char* name, T& field, schema::Names names) {
        const Value* value = find(name);
        if (value == nullptr || *value == schema::kNoText) return;
        std::string problem;
        const auto index = choose(*value, {names.begin(), names.end()}, problem);
        if (index)
            set(field, *index);
        else
            complain(name, problem);
    }
    void pairs(const char*, const char* name, std::map<std::string, std::string>& field) {
        if (const Value* value = find(name)) complain(name, assign(*value, field));
    }
    void lists(const char*, const char* name,
               std::map<std::string, std::vector<std::string>>& field) {
        if (const Value* value = find(name)) complain(name, assign(*value, field));
    }
    void free(const char*, const char* name, Value::Map& field) {
        if (const Value::Map* object = object_in(name)) field = *object;
    }
    template <class T>
    void block(const char*, const char* name, T& field) {
        if (const Value::Map* object = object_in(name)) read(*object, path_ + name + ".", field);
    }
    template <class T>
    void block(const char*, const char* name, std::optional<T>& field) {
        if (const Value::Map* object = object_in(name))
            read(*object, path_ + name + ".", field.emplace());
    }
    template <class T>
    void blocks(const char*, const char* name, std::vector<T>& field) {
        std::size_t index = 0;
        for (const Value::Map* object : objects_in(name)) {
            const std::string path = path_ + name + "[" + std::to_string(index++) + "].";
            read(*object, path, field.emplace_back());
        }
    }
    template <class T, class NameOf>
    void labelled(const char* hcl, const char* name, std::vector<T>& field, NameOf) {
        blocks(hcl, name, field);  // the name is a field of its own here
    }
    void later(const char*, const char* name, const Value& zero);
    void ignored(const char*, const char*, const Value&) {}

  private:
    template <class T>
    void read(const Value::Map& object, const std::string& path, T& field) {
        ApiReader inner(object, path, problems_);
        schema::describe(inner, field);
    }
    template <class T>
    static void set(T& field, std::size_t index) {
        field = static_cast<T>(index);
    }
    template <class T>
    static void set(std::optional<T>& field, std::size_t index) {
        field = static_cast<T>(index);
    }

    /// nullptr when it is not there or null.
    const Value* find(const std::string& name) const;
    const Value::Map* object_in(const char* name);
    std::vector<const Value::Map*> objects_in(const char* name);
    void complain(const std::string& name, const std::string& problem);

    const Value::Map& object_;
    std::string path_;
    std::vector<std::string>& problems_;
};

class ApiWriter {
  public:
    static constexpr bool kHcl = false;

    explicit ApiWriter(Value::Map& object) : object_(object) {}

    template <class T>
    void attribute(const char*, const char* name, const T& field) {
        put(name, to_value(field));
    }
    template <class T>
    void choice(const char*, const char* name, const T& field, schema::Names names) {
        put(name, Value{std::string(names.begin()[static_cast<std::size_t>(field)])});
    }
    void pairs(const char*, const char* name, const std::map<std::string, std::string>& field);
    void lists(const char*, const char* name,
               const std::map<std::string, std::vector<std::string>>& field);
    void free(const char*, const char* name, const Value::Map& field);
    template <class T>
    void block(const char*, const char* name, const T& field) {
        put(name, object_of(field));
    }
    template <class T>
    void block(const char*, const char* name, const std::optional<T>& field) {
        put(name, field ? object_of(*field) : Value{});
    }
    template <class T>
    void blocks(const char*, const char* name, const std::vector<T>& field) {
        Value::List list;
        for (const T& item : field) list.push_back(object_of(item));
        put(name, list.empty() ? Value{} : Value{std::move(list)});
    }
    template <class T, class NameOf>
    void labelled(const char* hcl, const char* name, const std::vector<T>& field, NameOf) {
        blocks(hcl, name, field);
    }
    void later(const char*, const char* name, const Value& zero) { put(name, zero); }
    void ignored(const char*, const char* name, const Value& zero) { put(name, zero); }

  private:
    template <class T>
    static Value object_of(const T& field) {
        Value::Map object;
        ApiWriter inner(object);
        schema::describe(inner, field);
        return Value{std::move(object)};
    }
    static Value to_value(const std::string& field) { return Value{field}; }
    static Value to_value(std::int64_t field) { return Value{field}; }
    static Value to_value(bool field) { return Value{field}; }
    static Value to_value(Duration field);
    static Value to_value(const std::vector<std::string>& field);
    template <class Tag>
    static Value to_value(Quantity<Tag> field) {
        return Value{field.value};
    }
    template <class T>
    static Value to_value(const std::optional<T>& field) {
        return field ? to_value(*field) : Value{};
    }
    void put(const std::string& name, Value value) {
        if (!name.empty()) object_[name] = std::move(value);
    }

    Value::Map& object_;
};

}  // namespace gaggle
