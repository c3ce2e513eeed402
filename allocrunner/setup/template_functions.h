// The functions that a template can call, one table a file.
//
// A function gets its arguments, the piped value last, and the world; what it asked of the world it
// writes into `needs`. An error of it names neither place nor function: the renderer adds both.
#pragma once

#include <span>
#include <string_view>

#include "allocrunner/setup/datum.h"
#include "allocrunner/setup/text_template.h"

namespace gaggle::setup {

struct Arguments {
    std::span<const Datum> values;
    const TemplateWorld& world;
    TemplateNeeds& needs;

    std::size_t size() const { return values.size(); }
    const Datum& operator[](std::size_t at) const { return values[at]; }
    /// Valid as long as the arguments. Errc::invalid: "argument 2 must be a string, not a list".
    Result<const std::string*> text(std::size_t at) const;
    Result<std::int64_t> whole(std::size_t at) const;
    Result<double> real(std::size_t at) const;
    /// Nothing counts as an empty list.
    Result<const DatumList*> list(std::size_t at) const;

  private:
    Error wrong(std::size_t at, const char* wanted) const;
};

struct TemplateFunction {
    static constexpr int kAny = -1;
    std::string_view name;
    int least;  ///< arguments
    int most;   ///< kAny: no limit
    Result<Datum> (*run)(const Arguments&);
};

std::span<const TemplateFunction> basic_functions();    ///< of Go: eq, len, index, printf ...
std::span<const TemplateFunction> text_functions();     ///< split, toUpper, contains ...
std::span<const TemplateFunction> number_functions();   ///< add, parseInt, loop, timestamp ...
std::span<const TemplateFunction> coding_functions();   ///< toJSON, base64Encode, sha256Hex ...
std::span<const TemplateFunction> pattern_functions();  ///< regexMatch, regexReplaceAll
std::span<const TemplateFunction> sprig_functions();    ///< sprig_default, sprig_trunc ...
std::span<const TemplateFunction> world_functions();    ///< env, file, nomadService, and refusals

/// Another name for one of those.
struct FunctionAlias {
    std::string_view name;
    std::string_view means;
};
std::span<const FunctionAlias> sprig_aliases();

/// nullptr when there is none. Not here are `and` and `or`, which the renderer evaluates lazily,
/// and `executeTemplate`, which renders.
const TemplateFunction* find_function(std::string_view name);
bool is_template_function(std::string_view name);

/// As Go's fmt.Sprintf; a verb that does not fit its argument says so in the text, as there.
Result<std::string> go_printf(std::string_view format, std::span<const Datum> values);

}  // namespace gaggle::setup
