// The `filter` parameter of the API: which records of a list are wanted.
//
//     Tags contains "web" and (Port == 8080 or not JobID matches "^dev-")
//
// The language is that of Nomad's `filter` (hashicorp/go-bexpr): selectors name fields of the
// record's JSON (`NodeID`, `Meta.rack`, `Meta["my key"]`, `"/Meta/rack"`), the operators are ==,
// !=, in, not in, contains, not contains, is empty, is not empty, matches and not matches; `not`
// binds closest, then `and`, then `or`. A field that a record has not is equal to nothing and
// empty. Regular expressions take time linear in the text.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "placement/jobspec/value.h"

namespace gaggle {

class Filter {
  public:
    static constexpr std::size_t kTextMax = 4096;  ///< bytes of an expression
    static constexpr std::size_t kDepthMax = 64;   ///< of parentheses and `not`

    /// Fails with `invalid`, naming the place in the expression.
    static Result<Filter> parse(std::string_view text);

    bool keeps(const Value& record) const;

    struct Node;

  private:
    explicit Filter(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
    std::shared_ptr<const Node> root_;  ///< shared: filters are copied into continuations
};

/// The records of the list that are wanted.
Value::List kept(const Filter& filter, Value::List records);

}  // namespace gaggle
