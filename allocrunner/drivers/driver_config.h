// A driver's `config` block, judged by a table of its options.
//
// The block is free-form in the job file, so its mistakes are found here: an option that the driver
// does not know, a value of the wrong kind. Values come interpolated, so a number or a yes may also
// be its text ("${meta.workers}" became "4"). A block is a list of maps, as the job file gives it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "placement/jobspec/value.h"

namespace gaggle::allocrunner {

enum class OptionKind {
    text,
    texts,   ///< a list of strings
    number,  ///< a whole one from `least` to `most`
    flag,
    map,     ///< of strings, as an attribute or a block
    blocks,  ///< any number of blocks, or lists of maps; judged by the driver
};

struct Option {
    std::string_view name;
    OptionKind kind = OptionKind::text;
    std::string_view example;  ///< as it is written in a job file
    bool required = false;     ///< and not empty
    std::int64_t least = 0;
    std::int64_t most = INT64_MAX;
};

/// Errc::invalid when it has an option that is none of `options`, which are then listed.
Result<void> judge_names(std::string_view driver, const Value::Map& config,
                         std::span<const Option> options);
/// As judge_names, then the values. Errc::invalid naming the driver, the option and what would be
/// right.
Result<void> judge_config(std::string_view driver, const Value::Map& config,
                          std::span<const Option> options);

/// A judged config, read. What is not there is empty.
class ConfigReader {
  public:
    explicit ConfigReader(const Value::Map& config) : config_(config) {}
    bool has(std::string_view option) const { return find(option) != nullptr; }
    std::string text(std::string_view option) const;
    std::vector<std::string> texts(std::string_view option) const;
    std::optional<std::int64_t> number(std::string_view option) const;
    bool flag(std::string_view option) const;
    /// In order; entries of later blocks win.
    std::map<std::string, std::string> map(std::string_view option) const;
    std::vector<Value::Map> blocks(std::string_view option) const;

  private:
    const Value* find(std::string_view option) const;
    const Value::Map& config_;
};

}  // namespace gaggle::allocrunner
