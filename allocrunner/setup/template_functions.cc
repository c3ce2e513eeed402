#include "allocrunner/setup/template_functions.h"

#include <map>

namespace gaggle::setup {

namespace {

std::map<std::string_view, const TemplateFunction*> all_functions() {
    std::map<std::string_view, const TemplateFunction*> out;
    for (const auto table :
         {basic_functions(), text_functions(), number_functions(), coding_functions(),
          pattern_functions(), sprig_functions(), world_functions()})
        for (const TemplateFunction& one : table) out.emplace(one.name, &one);
    for (const FunctionAlias& alias : sprig_aliases()) out.emplace(alias.name, out.at(alias.means));
    return out;
}

}  // namespace

const TemplateFunction* find_function(std::string_view name) {
    static const auto kAll = all_functions();
    const auto found = kAll.find(name);
    return found == kAll.end() ? nullptr : found->second;
}

bool is_template_function(std::string_view name) {
    return name == "and" || name == "or" || name == "executeTemplate" ||
           find_function(name) != nullptr;
}

Error Arguments::wrong(std::size_t at, const char* wanted) const {
    return {Errc::invalid, "argument " + std::to_string(at + 1) + " must be " + wanted + ", not " +
                               kind_of(values[at])};
}

Result<const std::string*> Arguments::text(std::size_t at) const {
    const std::string* held = values[at].text();
    if (held == nullptr) return wrong(at, "a string");
    return held;
}

Result<std::int64_t> Arguments::whole(std::size_t at) const {
    const std::int64_t* held = values[at].whole();
    if (held == nullptr) return wrong(at, "a whole number");
    return *held;
}

Result<double> Arguments::real(std::size_t at) const {
    if (const std::int64_t* held = values[at].whole()) return static_cast<double>(*held);
    const double* held = std::get_if<double>(&values[at].data);
    if (held == nullptr) return wrong(at, "a number");
    return *held;
}

Result<const DatumList*> Arguments::list(std::size_t at) const {
    static const DatumList kEmpty;
    if (values[at].is_none()) return &kEmpty;
    const DatumList* held = values[at].list();
    if (held == nullptr) return wrong(at, "a list");
    return held;
}

}  // namespace gaggle::setup
