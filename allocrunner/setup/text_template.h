// A template of a job: text in the language of Go's text/template with consul-template's functions.
//
// Parsing and rendering are pure: environment, services, time and files come from outside, and what
// a text was made of comes back with it, so that it is rendered again only when that has changed.
// Work, output and nesting are bounded: a template cannot stop a peer. docs/tasks.md lists the
// functions and what differs from consul-template.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "allocrunner/setup/catalogue.h"
#include "allocrunner/setup/datum.h"
#include "allocrunner/setup/template_ast.h"
#include "allocrunner/setup/template_lexer.h"
#include "base/time.h"

namespace gaggle::setup {

/// Steps of a rendering; a function's work counts by the bytes that it reads and writes. A second
/// or two.
constexpr std::uint64_t kTemplateWorkMax = 10'000'000;

/// What a template can see. References are valid while it renders.
struct TemplateWorld {
    const std::map<std::string, std::string>& env;
    const Catalogue& catalogue;
    WallTime now;
    std::string name_space = "default";  ///< whose services it asks for
    /// For `file`; refuses what lies outside of the allocation.
    std::function<Result<std::string>(const std::string& path)> read_file;
    bool error_on_missing_key = false;
};

/// What a text was made of.
struct TemplateNeeds {
    std::set<std::string> services;  ///< also those that have no instance
    bool service_list = false;       ///< the names and tags of all services
    std::set<std::string> files;     ///< as the template names them
    bool operator==(const TemplateNeeds&) const = default;
};

struct Rendered {
    std::string text;
    TemplateNeeds needs;
};

class TextTemplate {
  public:
    /// Errc::invalid with line and column.
    static Result<TextTemplate> parse(std::string_view text, const Delimiters& delimiters = {});

    /// Errc::invalid with line, column and the function's name.
    Result<Rendered> render(const TemplateWorld& world) const;

  private:
    // Shared: copies of a template are the same immutable tree.
    std::shared_ptr<const ParsedTemplate> parsed_;
};

}  // namespace gaggle::setup
