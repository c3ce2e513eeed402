#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/write_batch.h>

#include <array>
#include <cstdio>

#include "base/log.h"
#include "gctl/store/database.h"
#include "gctl/store/layout.h"

namespace gaggle::store {

namespace {

constexpr std::size_t kWriteBufferBytes = std::size_t{1} << 20U;
constexpr std::size_t kBlockCacheBytes = std::size_t{128} << 10U;
constexpr int kOpenFilesMax = 64;

leveldb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const leveldb::Slice& slice) { return {slice.data(), slice.size()}; }

/// LevelDB's own remarks are for us, not for the operator; without this it would keep a file of
/// them.
class Remarks final : public leveldb::Logger {
  public:
    void Logv(const char* format, std::va_list arguments) override {
        if (!log::enabled(log::Level::debug)) return;
        std::array<char, 512> text{};
        std::vsnprintf(text.data(), text.size(), format, arguments);
        log::debug("leveldb: {}", std::string_view(text.data()));
    }
};

Error as_error(const std::string& what, const leveldb::Status& status) {
    // LevelDB says "invalid argument" of a database that is not there.
    const bool damaged = status.IsCorruption() || status.IsInvalidArgument();
    return {damaged ? Errc::corrupt : Errc::io, what + ": " + status.ToString()};
}

}  // namespace

struct Changes::Impl {
    leveldb::WriteBatch batch;
};

Changes::Changes() : impl_(std::make_unique<Impl>()) {}
Changes::~Changes() = default;

void Changes::put(const std::string& key, BytesView value) {
    impl_->batch.Put(slice(key), slice(sealed(key, value)));
}

void Changes::erase(const std::string& key) { impl_->batch.Delete(slice(key)); }

struct Database::Impl {
    Impl(CheckedEnv& environment, std::string where)
        : env(environment), path(std::move(where)), cache(leveldb::NewLRUCache(kBlockCacheBytes)) {}

    leveldb::Options options() {
        leveldb::Options out;
        out.paranoid_checks = true;
        out.env = env.env();
        out.info_log = &remarks;
        out.write_buffer_size = kWriteBufferBytes;
        out.max_open_files = kOpenFilesMax;
        out.block_cache = cache.get();
        out.compression = leveldb::kNoCompression;
        return out;
    }
    static leveldb::ReadOptions reading() {
        leveldb::ReadOptions out;
        out.verify_checksums = true;
        out.fill_cache = false;
        return out;
    }

    CheckedEnv& env;
    const std::string path;
    Remarks remarks;
    std::unique_ptr<leveldb::Cache> cache;
    std::unique_ptr<leveldb::DB> db;  // last: it uses the others until its end
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(CheckedEnv& env, const std::string& path,
                                                 Existence existence) {
    auto impl = std::make_unique<Impl>(env, path);
    leveldb::Options options = impl->options();
    options.create_if_missing = existence == Existence::may_create;
    leveldb::DB* opened = nullptr;
    const auto status = leveldb::DB::Open(options, path, &opened);
    impl->db.reset(opened);
    env.settle();
    if (!status.ok()) return as_error("open database " + path, status);
    return std::unique_ptr<Database>(new Database(std::move(impl)));  // NOLINT: private constructor
}

Result<std::optional<Bytes>> Database::get(const std::string& key) {
    std::string record;
    const auto status = impl_->db->Get(Impl::reading(), slice(key), &record);
    impl_->env.settle();
    if (status.IsNotFound()) return std::optional<Bytes>();
    if (!status.ok()) return as_error("read from database " + impl_->path, status);
    auto value = unsealed(key, record);
    if (!value.ok()) return within("database " + impl_->path, std::move(value).error());
    return std::optional<Bytes>(std::move(*value));
}

Result<void> Database::scan(const std::string& from, const std::string& prefix,
                            const std::function<Result<void>(std::string_view, Bytes)>& visit) {
    const auto all = [&]() -> Result<void> {
        const std::unique_ptr<leveldb::Iterator> at(impl_->db->NewIterator(Impl::reading()));
        for (at->Seek(slice(from)); at->Valid(); at->Next()) {
            const std::string_view key = view(at->key());
            if (!key.starts_with(prefix)) break;
            auto value = unsealed(key, view(at->value()));
            if (!value.ok()) return within("database " + impl_->path, std::move(value).error());
            TRY(visit(key, std::move(*value)));
        }
        if (at->status().ok()) return {};
        return as_error("read from database " + impl_->path, at->status());
    };
    auto result = all();
    impl_->env.settle();
    return result;
}

Result<void> Database::write(const Changes& changes) {
    leveldb::WriteOptions synced;
    synced.sync = true;
    // Write() wants to change the batch's header, not its content.
    leveldb::WriteBatch batch = changes.impl_->batch;
    const auto status = impl_->db->Write(synced, &batch);
    impl_->env.settle();
    if (!status.ok()) return as_error("write to database " + impl_->path, status);
    if (auto failure = impl_->env.failure()) return *failure;
    return {};
}

}  // namespace gaggle::store
