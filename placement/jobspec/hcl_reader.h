// The archive that takes a job from HCL blocks (see schema.h).
//
// It asks for each field by name, remembers all names it was asked for, and at the end reports what
// is in the block beside them. So the descriptions are the only list of what a block may hold.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "placement/jobspec/assign.h"
#include "placement/jobspec/hcl_eval.h"
#include "placement/jobspec/schema_job.h"

namespace gaggle {

/// What the readers of one file share.
struct HclContext {
    hcl::Evaluator& evaluator;
    Diagnostics& diagnostics;
    std::map<std::string, Position>& positions;  ///< of every block and attribute read, by path
};

class HclReader {
  public:
    static constexpr bool kHcl = true;

    /// `what` names the block in messages; `path` is where it stands, as "job.group.cache".
    HclReader(const hcl::Body& body, std::string what, std::string path, HclContext& context);

    template <class T>
    void attribute(const char* name, const char*, T& field) {
        const auto given = attribute_value(name);
        if (!given) return;
        complain(given->at, name, assign(given->value, field));
        if constexpr (std::is_same_v<T, Duration> || std::is_same_v<T, std::optional<Duration>>)
            warn_of_nanoseconds(*given, name);
    }

    template <class T>
    void choice(const char* name, const char*, T& field, schema::Names names) {
        const auto given = attribute_value(name);
        if (!given) return;
        std::string problem;
        const auto index = choose(given->value, {names.begin(), names.end()}, problem);
        if (index)
            set(field, *index);
        else
            complain(given->at, name, problem);
    }

    void pairs(const char* name, const char*, std::map<std::string, std::string>& field) {
        named(name, field);
    }
    void lists(const char* name, const char*,
               std::map<std::string, std::vector<std::string>>& field) {
        named(name, field);
    }
    void free(const char* name, const char*, Value::Map& field);

    template <class T>
    void block(const char* name, const char*, T& field) {
        if (const hcl::Block* found = single(name)) read(*found, path_ + "." + name, field);
    }
    template <class T>
    void block(const char* name, const char*, std::optional<T>& field) {
        if (const hcl::Block* found = single(name))
            read(*found, path_ + "." + name, field.emplace());
    }

    template <class T>
    void blocks(const char* name, const char*, std::vector<T>& field) {
        for (const hcl::Block* found : all(name)) {
            refuse_labels(*found);
            const std::string path = path_ + "." + name + "." + std::to_string(field.size());
            read(*found, path, field.emplace_back());
        }
    }

    template <class T, class NameOf>
    void labelled(const char* name, const char*, std::vector<T>& field, NameOf name_of) {
        for (const hcl::Block* found : all(name)) {
            const std::string label = only_label(*found);
            name_of(field.emplace_back()) = label;
            read(*found, path_ + "." + name + "." + label, field.back());
        }
    }

    void later(const char* name, const char*, const Value&);
    void ignored(const char* name, const char*, const Value&);

    /// Reports what nobody asked for.
    void finish();

  private:
    struct Given {
        Value value;
        Position at;
    };

    template <class T>
    void read(const hcl::Block& block, const std::string& path, T& field) {
        context_.positions.emplace(path, block.at);
        HclReader inner(block.body, block.type, path, context_);
        schema::describe(inner, field);
        inner.finish();
    }

    template <class T>
    static void set(T& field, std::size_t index) {
        field = static_cast<T>(index);
    }
    template <class T>
    static void set(std::optional<T>& field, std::size_t index) {
        field = static_cast<T>(index);
    }

    const hcl::Attribute* find(const std::string& name) const;
    std::optional<Given> attribute_value(const char* name);
    /// `kill_timeout = 20` means 20 ns, which hardly anybody wants.
    void warn_of_nanoseconds(const Given& given, const char* name);
    /// `driver = raw_exec` is a reference, which hardly anybody wants either.
    void warn_of_bare_word(const hcl::Expression& value);
    /// Every block of that name. Reports an attribute of that name.
    std::vector<const hcl::Block*> all(const char* name);
    /// The only one, without label; reports a second one.
    const hcl::Block* single(const char* name);
    void refuse_labels(const hcl::Block& block);
    std::string only_label(const hcl::Block& block);
    void complain(Position at, const char* name, const std::string& problem);
    /// Names with a T each, as a block or as an attribute.
    template <class T>
    void named(const char* name, std::map<std::string, T>& field);
    template <class T>
    std::map<std::string, T> named_in(const hcl::Block& block);

    const hcl::Body& body_;
    std::string what_;
    std::string path_;
    std::vector<std::string> known_;    ///< asked for, and so allowed
    std::vector<std::string> refused_;  ///< asked for with later()
    HclContext& context_;
};

/// The value of a driver's `config`: attributes as they are (an object becomes a list of one, as in
/// HCL1), blocks as lists of maps.
Value::Map free_form(const hcl::Body& body, HclContext& context);

}  // namespace gaggle
