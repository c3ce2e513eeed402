// A forgiving look into an answer of the API.
//
// Every reader here gives a zero value for what is missing, null or of another type: an agent of
// another version may know more or fewer fields, and a command shows what it can.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "placement/jobspec/value.h"

namespace gaggle::cli {

/// Points into a Value, which must outlive it.
class Json {
  public:
    explicit Json(const Value& value) : value_(&value) {}

    Json operator[](std::string_view name) const;
    bool is_null() const { return value_->data.index() == 0; }
    std::string text() const;
    std::int64_t whole() const;
    double real() const;
    bool flag() const;
    std::vector<Json> items() const;
    std::vector<std::pair<std::string, Json>> fields() const;
    std::vector<std::string> texts() const;
    std::map<std::string, std::string> text_map() const;
    std::map<std::string, std::int64_t> whole_map() const;
    const Value& value() const { return *value_; }

  private:
    const Value* value_;
};

/// Two spaces a level, keys in order, a newline at the end.
std::string pretty(const Value& value);
/// The same for a text; a text that is no JSON is given back as it is.
std::string pretty(std::string_view text);

}  // namespace gaggle::cli
