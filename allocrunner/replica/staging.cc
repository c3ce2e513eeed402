#include "allocrunner/replica/staging.h"

#include <algorithm>

namespace gaggle::replica {

namespace {

constexpr std::uint64_t kHeadBytes = 32 + 4;

Bytes record_of(const Hash& hash, BytesView bytes) {
    Bytes record(hash.bytes.begin(), hash.bytes.end());
    for (unsigned shift = 0; shift < 32; shift += 8)
        record.push_back(static_cast<std::uint8_t>(bytes.size() >> shift));
    record.insert(record.end(), bytes.begin(), bytes.end());
    return record;
}

}  // namespace

Result<Staging> Staging::open(FileTree& files, std::string path) {
    Staging staging(files, std::move(path));
    TRY(staging.load());
    return staging;
}

Result<void> Staging::load() {
    if (!TRY(exists(*files_, path_))) return {};
    const std::uint64_t size = TRY(files_->stat(path_)).size;
    while (end_ + kHeadBytes <= size) {
        const Bytes head = TRY(files_->read(path_, end_, kHeadBytes));
        if (head.size() < kHeadBytes) break;
        Hash hash;
        std::copy_n(head.begin(), hash.bytes.size(), hash.bytes.begin());
        std::uint32_t length = 0;
        for (std::size_t at = 0; at < 4; ++at)
            length |= static_cast<std::uint32_t>(head[32 + at]) << (8 * at);
        if (length == 0 || length > kBlockBytes) break;
        const Bytes bytes = TRY(files_->read(path_, end_ + kHeadBytes, length));
        if (bytes.size() != length || hash_of(bytes) != hash) break;
        at_.emplace(hash, Place{end_ + kHeadBytes, length});
        end_ += kHeadBytes + length;
    }
    return end_ < size ? files_->make_file(path_, end_) : Result<void>{};
}

Result<void> Staging::add(const Hash& hash, BytesView bytes) {
    if (has(hash)) return {};
    if (end_ == 0) TRY(files_->make_file(path_, 0));
    TRY(files_->write(path_, end_, record_of(hash, bytes)));
    at_.emplace(hash, Place{end_ + kHeadBytes, static_cast<std::uint32_t>(bytes.size())});
    end_ += kHeadBytes + bytes.size();
    return {};
}

Result<Bytes> Staging::get(const Hash& hash) {
    const auto found = at_.find(hash);
    if (found == at_.end())
        return Error{Errc::not_found, "read block " + to_hex(hash.bytes) + ": it is not staged"};
    Bytes bytes = TRY(files_->read(path_, found->second.offset, found->second.length));
    if (hash_of(bytes) != hash) {
        at_.erase(found);
        return Error{Errc::corrupt, "read block " + to_hex(hash.bytes) + " from " + path_ +
                                        ": its bytes were damaged on this disk"};
    }
    return bytes;
}

Result<void> Staging::sync() {
    if (end_ == 0) return {};
    TRY(files_->sync(path_));
    return files_->sync(parent_of(path_));
}

Result<void> Staging::keep(const std::set<Hash>& wanted) {
    Staging fresh(*files_, path_ + ".new");
    TRY(fresh.clear());
    std::map<std::uint64_t, Hash> in_order;
    for (const auto& [hash, place] : at_)
        if (wanted.contains(hash)) in_order.emplace(place.offset, hash);
    for (const auto& [offset, hash] : in_order) {
        const auto bytes = get(hash);
        if (bytes) TRY(fresh.add(hash, *bytes));
    }
    if (fresh.end_ == 0) return clear();
    TRY(files_->rename(fresh.path_, path_));
    at_ = std::move(fresh.at_);
    end_ = fresh.end_;
    return {};
}

Result<void> Staging::clear() {
    at_.clear();
    end_ = 0;
    return remove_all(*files_, path_);
}

}  // namespace gaggle::replica
