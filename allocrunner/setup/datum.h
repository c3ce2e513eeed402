// A value inside a template: what Go's text/template calls an interface{}.
//
// Lists and maps are shared and never changed once made, so that passing `.` around costs nothing.
// A map with a `type` is one of our records (a service instance): asking it for a field that it
// does not have is an error, while an ordinary map answers with "no value". Numbers are int64 or
// double and compare with one another; Go would refuse to compare the two kinds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "placement/jobspec/value.h"

namespace gaggle::setup {

constexpr std::size_t kTemplateTextMax = 4U << 20U;  ///< bytes of a template, also after rendering

/// Appends unless the result would be larger than a text may be: Errc::invalid.
Result<void> append_bounded(std::string& out, std::string_view part);

struct Datum;
using DatumList = std::vector<Datum>;
struct DatumMap {
    std::map<std::string, Datum> fields;
    const char* type = "";  ///< of a record, such as "service instance"; a literal
};

struct Datum {
    // Shared: values are immutable and go to many places of one rendering.
    using List = std::shared_ptr<const DatumList>;
    using Map = std::shared_ptr<const DatumMap>;

    std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data;

    static Datum of(DatumList items);
    static Datum of(DatumMap map);
    /// A list of texts.
    static Datum of_texts(const std::vector<std::string>& texts);
    static Datum of(const Value& value);

    const std::string* text() const { return std::get_if<std::string>(&data); }
    const std::int64_t* whole() const { return std::get_if<std::int64_t>(&data); }
    const DatumList* list() const;
    const DatumMap* map() const;
    bool is_none() const { return std::holds_alternative<std::monostate>(data); }
    bool is_number() const { return data.index() == 2 || data.index() == 3; }
};

/// For messages: "a string", "a list".
const char* kind_of(const Datum& value);
/// Go's truth: not false, 0, "", an empty list or map, or nothing.
bool is_true(const Datum& value);
/// As Go's %v prints it; nothing is "<no value>". What is shared is printed wherever it stands, so
/// a small value can have a text without end: Errc::invalid when that is larger than a text may be.
Result<std::string> to_text(const Datum& value);
/// As Go prints a float with %v: shortest digits that read back as the same number.
std::string float_text(double number);
Value to_value(const Datum& value);

/// Below 0, 0 or above 0. Errc::invalid when the two cannot be put in an order.
Result<int> compare(const Datum& a, const Datum& b);
/// Errc::invalid for kinds that are never equal, such as a string and a number; as Go does.
Result<bool> equal(const Datum& a, const Datum& b);

}  // namespace gaggle::setup
