#include <msgpack.hpp>

#include "base/wire.h"

namespace gaggle {

struct WireWriter::Impl {
    msgpack::sbuffer buffer;
    msgpack::packer<msgpack::sbuffer> packer{buffer};
};

WireWriter::WireWriter() : impl_(std::make_unique<Impl>()) {}
WireWriter::~WireWriter() = default;

void WireWriter::nil() { impl_->packer.pack_nil(); }
void WireWriter::boolean(bool value) { impl_->packer.pack(value); }
void WireWriter::unsigned_number(std::uint64_t value) { impl_->packer.pack_uint64(value); }
void WireWriter::signed_number(std::int64_t value) { impl_->packer.pack_int64(value); }
void WireWriter::real(double value) { impl_->packer.pack_double(value); }

void WireWriter::text(std::string_view value) {
    impl_->packer.pack_str(static_cast<std::uint32_t>(value.size()));
    impl_->packer.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
}

void WireWriter::binary(BytesView value) {
    impl_->packer.pack_bin(static_cast<std::uint32_t>(value.size()));
    impl_->packer.pack_bin_body(reinterpret_cast<const char*>(value.data()),
                                static_cast<std::uint32_t>(value.size()));
}

void WireWriter::array(std::size_t items) {
    impl_->packer.pack_array(static_cast<std::uint32_t>(items));
}

Bytes WireWriter::take() {
    const auto* first = reinterpret_cast<const std::uint8_t*>(impl_->buffer.data());
    Bytes out(first, first + impl_->buffer.size());
    impl_->buffer.clear();
    return out;
}

struct WireReader::Impl {
    struct Level {
        const msgpack::object* next;
        const msgpack::object* end;
    };

    Limits limits;
    std::string failure;
    msgpack::object_handle root;
    std::vector<Level> levels;

    /// The next value, or nullptr after a failure or at the end of the array (which fails).
    const msgpack::object* take() {
        if (!failure.empty()) return nullptr;
        if (levels.back().next == levels.back().end) {
            failure = "short of values";
            return nullptr;
        }
        return levels.back().next++;
    }

    const msgpack::object* take(msgpack::type::object_type wanted, const char* name) {
        const msgpack::object* value = take();
        if (value == nullptr || value->type == wanted) return value;
        failure = std::string("wanted ") + name;
        return nullptr;
    }
};

WireReader::WireReader(BytesView bytes, const Limits& limits) : impl_(std::make_unique<Impl>()) {
    impl_->limits = limits;
    if (bytes.size() > limits.bytes) {
        impl_->failure = std::to_string(bytes.size()) + " bytes exceed the limit of " +
                         std::to_string(limits.bytes);
        return;
    }
    try {
        const msgpack::unpack_limit bounds(limits.items, 0, limits.bytes, limits.bytes, 0,
                                           limits.depth);
        std::size_t offset = 0;
        impl_->root = msgpack::unpack(
            reinterpret_cast<const char*>(bytes.data()), bytes.size(), offset,
            [](msgpack::type::object_type, std::size_t, void*) { return true; }, nullptr, bounds);
        if (offset != bytes.size())
            impl_->failure = std::to_string(bytes.size() - offset) + " bytes too many";
    } catch (const std::exception& error) {
        impl_->failure = std::string("not msgpack within limits (") + error.what() + ")";
    }
    const msgpack::object* root = &impl_->root.get();
    impl_->levels.push_back({root, root + 1});
}

WireReader::~WireReader() = default;

bool WireReader::nil() {
    if (!impl_->failure.empty()) return true;
    const auto& level = impl_->levels.back();
    if (level.next == level.end || level.next->type != msgpack::type::NIL) return false;
    impl_->take();
    return true;
}

bool WireReader::boolean() {
    const auto* value = impl_->take(msgpack::type::BOOLEAN, "a boolean");
    return value != nullptr && value->via.boolean;
}

std::uint64_t WireReader::unsigned_number() {
    const auto* value = impl_->take(msgpack::type::POSITIVE_INTEGER, "an unsigned number");
    return value == nullptr ? 0 : value->via.u64;
}

std::int64_t WireReader::signed_number() {
    const auto* value = impl_->take();
    if (value == nullptr) return 0;
    if (value->type == msgpack::type::NEGATIVE_INTEGER) return value->via.i64;
    constexpr auto kMax = static_cast<std::uint64_t>(INT64_MAX);
    if (value->type == msgpack::type::POSITIVE_INTEGER && value->via.u64 <= kMax)
        return static_cast<std::int64_t>(value->via.u64);
    impl_->failure = "wanted a signed number";
    return 0;
}

double WireReader::real() {
    const auto* value = impl_->take();
    if (value == nullptr) return 0;
    if (value->type == msgpack::type::FLOAT64 || value->type == msgpack::type::FLOAT32)
        return value->via.f64;
    // msgpack-cxx packs a whole double as an integer.
    if (value->type == msgpack::type::POSITIVE_INTEGER) return static_cast<double>(value->via.u64);
    if (value->type == msgpack::type::NEGATIVE_INTEGER) return static_cast<double>(value->via.i64);
    impl_->failure = "wanted a real number";
    return 0;
}

std::string WireReader::text() {
    const auto* value = impl_->take(msgpack::type::STR, "a text");
    return value == nullptr ? std::string() : std::string(value->via.str.ptr, value->via.str.size);
}

Bytes WireReader::binary() {
    const auto* value = impl_->take(msgpack::type::BIN, "binary");
    if (value == nullptr) return {};
    const auto* first = reinterpret_cast<const std::uint8_t*>(value->via.bin.ptr);
    return {first, first + value->via.bin.size};
}

std::size_t WireReader::enter_array() {
    const auto* value = impl_->take(msgpack::type::ARRAY, "an array");
    if (value == nullptr) return 0;
    impl_->levels.push_back({value->via.array.ptr, value->via.array.ptr + value->via.array.size});
    return value->via.array.size;
}

void WireReader::leave_array() {
    if (impl_->failure.empty() && impl_->levels.size() > 1) impl_->levels.pop_back();
}

std::size_t WireReader::left() const {
    return impl_->failure.empty()
               ? static_cast<std::size_t>(impl_->levels.back().end - impl_->levels.back().next)
               : 0;
}

const Limits& WireReader::limits() const { return impl_->limits; }
bool WireReader::ok() const { return impl_->failure.empty(); }

void WireReader::fail(std::string why) {
    if (impl_->failure.empty()) impl_->failure = std::move(why);
}

const std::string& WireReader::failure() const { return impl_->failure; }

}  // namespace gaggle
