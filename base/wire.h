// Structs to bytes and back: msgpack arrays, written once and used in both directions.
//
// A struct says its fields in order, and that is its format:
//
//     struct Ping {
//         std::uint64_t sequence = 0;
//         PeerId from;
//         template <class Self> static auto wire_fields(Self& s) { return std::tie(s.sequence,
//         s.from); }
//     };
//
//     Bytes bytes = encode(ping);
//     Result<Ping> again = decode<Ping>(bytes, "ping", Limits{});
//
// A struct is an array of its fields; an Id, a Hash or Bytes is binary; a variant is [index,
// value]; an optional is nil or the value; a map is an array of pairs in key order. An enum travels
// as a number and needs `constexpr E wire_last(E)` beside it, naming its highest value. Gossip and
// queries read `Fields::lenient` (unknown trailing fields are skipped); log entries and snapshots
// read `Fields::exact`. Whatever the bytes are, decoding ends with a value or an Error: sizes and
// depth are bounded by Limits.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "base/units.h"

namespace gaggle {

enum class Fields { lenient, exact };

/// What a decoder accepts. `items` bounds every array and map, `bytes` the whole input and each
/// string.
struct Limits {
    Fields fields = Fields::lenient;
    std::size_t bytes = 1U << 20U;
    std::size_t items = 1U << 16U;
    std::size_t depth = 32;
};

/// Appends msgpack. Never fails.
class WireWriter {
  public:
    WireWriter();
    ~WireWriter();
    WireWriter(const WireWriter&) = delete;
    WireWriter& operator=(const WireWriter&) = delete;

    void nil();
    void boolean(bool value);
    void unsigned_number(std::uint64_t value);
    void signed_number(std::int64_t value);
    void real(double value);
    void text(std::string_view value);
    void binary(BytesView value);
    void array(std::size_t items);  ///< announces that many values
    Bytes take();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Reads msgpack values in order. The first failure sticks: later reads give zero values.
class WireReader {
  public:
    WireReader(BytesView bytes, const Limits& limits);
    ~WireReader();
    WireReader(const WireReader&) = delete;
    WireReader& operator=(const WireReader&) = delete;

    bool nil();  ///< true and consumed when the next value is nil; else nothing is consumed
    bool boolean();
    std::uint64_t unsigned_number();
    std::int64_t signed_number();
    double real();
    std::string text();
    Bytes binary();
    std::size_t enter_array();  ///< its length; the reads that follow are of its items
    void leave_array();         ///< skips what was not read
    std::size_t left() const;   ///< items not yet read in the innermost array

    const Limits& limits() const;
    bool ok() const;
    void fail(std::string why);
    const std::string& failure() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

namespace wire {

template <class T>
inline constexpr bool is_strong = false;
template <class Tag, class Rep>
inline constexpr bool is_strong<Strong<Tag, Rep>> = true;
template <class T>
inline constexpr bool is_id = false;
template <class Tag>
inline constexpr bool is_id<Id<Tag>> = true;
template <class T>
inline constexpr bool is_quantity = false;
template <class Tag>
inline constexpr bool is_quantity<Quantity<Tag>> = true;
template <class T>
inline constexpr bool is_duration = false;
template <class R, class P>
inline constexpr bool is_duration<std::chrono::duration<R, P>> = true;
template <class T>
inline constexpr bool is_time = false;
template <class C, class D>
inline constexpr bool is_time<std::chrono::time_point<C, D>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_set = false;
template <class T>
inline constexpr bool is_set<std::set<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class K, class V>
inline constexpr bool is_map<std::map<K, V>> = true;
template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;
template <class T>
inline constexpr bool is_pair = false;
template <class A, class B>
inline constexpr bool is_pair<std::pair<A, B>> = true;
template <class T>
inline constexpr bool is_byte_array = false;
template <std::size_t N>
inline constexpr bool is_byte_array<std::array<std::uint8_t, N>> = true;

template <class T>
void put(WireWriter& out, const T& value);
template <class T>
void get(WireReader& in, T& value);

template <std::size_t N>
void get_fixed(WireReader& in, std::array<std::uint8_t, N>& value) {
    const Bytes bytes = in.binary();
    if (bytes.size() != N)
        return in.fail("binary of " + std::to_string(bytes.size()) + " bytes, wanted " +
                       std::to_string(N));
    std::copy(bytes.begin(), bytes.end(), value.begin());
}

template <class V, std::size_t... I>
void get_variant(WireReader& in, V& value, std::uint64_t index, std::index_sequence<I...>) {
    const bool known = ((index == I && (get(in, value.template emplace<I>()), true)) || ...);
    if (!known) in.fail("unknown kind " + std::to_string(index));
}

template <class T>
void put(WireWriter& out, const T& value) {
    if constexpr (std::is_same_v<T, bool>)
        out.boolean(value);
    else if constexpr (std::is_enum_v<T>)
        out.unsigned_number(static_cast<std::uint64_t>(value));
    else if constexpr (std::is_floating_point_v<T>)
        out.real(value);
    else if constexpr (std::is_unsigned_v<T>)
        out.unsigned_number(value);
    else if constexpr (std::is_integral_v<T>)
        out.signed_number(value);
    else if constexpr (std::is_same_v<T, std::string>)
        out.text(value);
    else if constexpr (std::is_same_v<T, Bytes>)
        out.binary(value);
    else if constexpr (is_byte_array<T>)
        out.binary(value);
    else if constexpr (is_id<T> || std::is_same_v<T, Hash>)
        out.binary(value.bytes);
    else if constexpr (is_strong<T> || is_quantity<T>)
        put(out, value.value);
    else if constexpr (std::is_same_v<T, WallTime>)
        out.signed_number(value.nanoseconds);
    else if constexpr (is_duration<T>)
        out.signed_number(value.count());
    else if constexpr (is_time<T>)
        out.signed_number(value.time_since_epoch().count());
    else if constexpr (is_optional<T>) {
        if (value)
            put(out, *value);
        else
            out.nil();
    } else if constexpr (is_vector<T> || is_set<T>) {
        out.array(value.size());
        for (const auto& item : value) put(out, item);
    } else if constexpr (is_map<T>) {
        out.array(value.size());
        for (const auto& [key, mapped] : value) {
            out.array(2);
            put(out, key);
            put(out, mapped);
        }
    } else if constexpr (is_pair<T>) {
        out.array(2);
        put(out, value.first);
        put(out, value.second);
    } else if constexpr (is_variant<T>) {
        out.array(2);
        out.unsigned_number(value.index());
        std::visit([&](const auto& alternative) { put(out, alternative); }, value);
    } else if constexpr (std::is_same_v<T, std::monostate>)
        out.nil();
    else {
        const auto fields = T::wire_fields(value);
        out.array(std::tuple_size_v<decltype(fields)>);
        std::apply([&](const auto&... field) { (put(out, field), ...); }, fields);
    }
}

template <class T>
void get_struct(WireReader& in, T& value) {
    auto fields = T::wire_fields(value);
    constexpr std::size_t wanted = std::tuple_size_v<decltype(fields)>;
    const std::size_t have = in.enter_array();
    if (have < wanted)
        return in.fail("struct of " + std::to_string(have) + " fields, wanted " +
                       std::to_string(wanted));
    if (have > wanted && in.limits().fields == Fields::exact)
        return in.fail("struct of " + std::to_string(have) + " fields where this version knows " +
                       std::to_string(wanted) + ": upgrade needed");
    std::apply([&](auto&... field) { (get(in, field), ...); }, fields);
    in.leave_array();
}

template <class T>
void get_items(WireReader& in, T& value) {
    value.clear();
    for (std::size_t left = in.enter_array(); left > 0 && in.ok(); --left) {
        if constexpr (is_vector<T>) {
            get(in, value.emplace_back());
        } else if constexpr (is_set<T>) {
            typename T::value_type item{};
            get(in, item);
            if (!value.insert(std::move(item)).second) in.fail("set with a member twice");
        } else {
            std::pair<typename T::key_type, typename T::mapped_type> item{};
            get(in, item);
            if (!value.insert(std::move(item)).second) in.fail("map with a key twice");
        }
    }
    in.leave_array();
}

template <class T>
void get(WireReader& in, T& value) {
    if constexpr (std::is_same_v<T, bool>)
        value = in.boolean();
    else if constexpr (std::is_enum_v<T>) {
        const std::uint64_t number = in.unsigned_number();
        if (number > static_cast<std::uint64_t>(wire_last(T{})))
            return in.fail("unknown enumerator " + std::to_string(number));
        value = static_cast<T>(number);
    } else if constexpr (std::is_floating_point_v<T>)
        value = static_cast<T>(in.real());
    else if constexpr (std::is_integral_v<T>) {
        const auto number = [&] {
            if constexpr (std::is_unsigned_v<T>)
                return in.unsigned_number();
            else
                return in.signed_number();
        }();
        value = static_cast<T>(number);
        if (static_cast<decltype(number)>(value) != number) in.fail("number out of range");
    } else if constexpr (std::is_same_v<T, std::string>)
        value = in.text();
    else if constexpr (std::is_same_v<T, Bytes>)
        value = in.binary();
    else if constexpr (is_byte_array<T>)
        get_fixed(in, value);
    else if constexpr (is_id<T> || std::is_same_v<T, Hash>)
        get_fixed(in, value.bytes);
    else if constexpr (is_strong<T> || is_quantity<T>)
        get(in, value.value);
    else if constexpr (std::is_same_v<T, WallTime>)
        value.nanoseconds = in.signed_number();
    else if constexpr (is_duration<T>)
        value = T(in.signed_number());
    else if constexpr (is_time<T>)
        value = T(typename T::duration(in.signed_number()));
    else if constexpr (is_optional<T>) {
        if (in.nil())
            value.reset();
        else
            get(in, value.emplace());
    } else if constexpr (is_vector<T> || is_set<T> || is_map<T>) {
        get_items(in, value);
    } else if constexpr (is_pair<T>) {
        if (in.enter_array() != 2) return in.fail("pair of another length than 2");
        get(in, value.first);
        get(in, value.second);
        in.leave_array();
    } else if constexpr (is_variant<T>) {
        if (in.enter_array() != 2) return in.fail("variant of another length than 2");
        get_variant(in, value, in.unsigned_number(),
                    std::make_index_sequence<std::variant_size_v<T>>{});
        in.leave_array();
    } else if constexpr (std::is_same_v<T, std::monostate>) {
        if (!in.nil()) in.fail("nil wanted");
    } else
        get_struct(in, value);
}

}  // namespace wire

template <class T>
Bytes encode(const T& value) {
    WireWriter out;
    wire::put(out, value);
    return out.take();
}

/// `what` names the thing in the error: "gossip message: short by 3 bytes".
template <class T>
Result<T> decode(BytesView bytes, std::string_view what, const Limits& limits = {}) {
    WireReader in(bytes, limits);
    T value{};
    if (in.ok()) wire::get(in, value);
    if (!in.ok()) return Error{Errc::corrupt, "decode " + std::string(what) + ": " + in.failure()};
    return value;
}

}  // namespace gaggle
