// ValueState, ListState, MapState: what a function of one's own keeps per key, after Flink's keyed state. Each is declared with
// a name when the function is made (FunctionBuild), so that its size is known before anything runs: it is part of the step's
// line in `weir plan`, and every checkpoint stores it. The states always belong to the key of the record in hand; they are not
// to be touched outside of a call. All of them are empty for a new key, and a key all of whose states are empty is given back.
//
// What is kept is copied byte by byte. T, K and V are trivially copyable, of fixed size on all architectures (int64_t, double,
// structs of them with no padding; not long, size_t or pointers). A struct that has `bool valid() const` is asked about values
// that come from a disk; one that has `static constexpr const char* layout` names its members: stored state whose text
// differs is refused at start instead of being read wrongly. Without it only names and sizes are compared.
//
// Bytes of a key: ValueState u8 present, T. ListState u16 count, N * T. MapState u16 count, N * (K, V).
#pragma once

#include <optional>
#include <string>
#include <type_traits>

#include "agent/api/function_frame.h"
#include "agent/operators/value_cell.h"

namespace weir {

/// What add() and put() do when there is no room.
enum class WhenFull : uint8_t {
  Refuse,      // nothing changes, and they return false
  DropOldest,  // the element that was added first makes room, counted as evicted in the step's status
};

template <class T>
concept Storable = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>;

template <Storable T>
void describe_stored(StoredFields& fields, std::string_view name) {
  if constexpr (requires { T::layout; })
    fields.add_bytes(sizeof(T), name, T::layout);
  else if constexpr (std::is_same_v<T, bool>)
    fields.add_flag(name);
  else if constexpr (std::is_floating_point_v<T>)
    fields.add_real(sizeof(T), name);
  else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
    fields.add_signed(sizeof(T), name);
  else if constexpr (std::is_integral_v<T>)
    fields.add_unsigned(sizeof(T), name);
  else
    fields.add_bytes(sizeof(T), name);
}

template <Storable T>
bool stored_valid(const uint8_t* at) {
  if constexpr (std::is_same_v<T, bool>) return *at <= 1;
  if constexpr (requires(const T& value) { value.valid(); }) return load<T>(at).valid();
  return true;
}

template <Storable T>
class ValueState {
 public:
  static constexpr uint32_t bytes = 1 + sizeof(T);

  bool present() const { return *frame_->peek(at_) != 0; }
  /// T{} if there is none.
  T value() const { return present() ? load<T>(frame_->peek(at_) + 1) : T{}; }
  void update(const T& value) {
    uint8_t* to = frame_->edit(at_);
    *to = 1;
    store(to + 1, value);
  }
  void clear() { memset(frame_->edit(at_), 0, bytes); }

 private:
  friend class FunctionBuild;
  ValueState(FunctionFrame& frame, uint32_t at) : frame_(&frame), at_(at) {}
  static void describe(StoredFields& fields, const std::string& name) {
    fields.add_flag(name + ".present");
    describe_stored<T>(fields, name);
  }
  static bool empty(const uint8_t* at) { return *at == 0; }
  static bool valid(const uint8_t* at) { return *at == 0 || (*at == 1 && stored_valid<T>(at + 1)); }

  FunctionFrame* frame_;
  uint32_t at_;
};

/// `N` elements of `size` bytes behind a u16 count, in the order in which they were added: what lists and maps share.
template <uint32_t size, uint32_t N>
class StoredElements {
  static_assert(N >= 1 && N <= UINT16_MAX);

 public:
  static constexpr uint32_t bytes = sizeof(uint16_t) + N * size;

  StoredElements(FunctionFrame& frame, uint32_t at, WhenFull when_full) : frame_(&frame), at_(at), when_full_(when_full) {}

  static uint32_t count(const uint8_t* at) { return load<uint16_t>(at); }
  uint32_t count() const { return count(frame_->peek(at_)); }
  const uint8_t* element(uint32_t index) const { return frame_->peek(at_) + place(index); }
  uint8_t* edit(uint32_t index) { return frame_->edit(at_) + place(index); }
  /// Room for one more at the end; nullptr if there is none.
  uint8_t* append() {
    if (count() == N) {
      if (when_full_ == WhenFull::Refuse) return nullptr;
      remove(0);
      frame_->context->note_evicted();
    }
    const uint32_t index = count();
    store(frame_->edit(at_), static_cast<uint16_t>(index + 1));
    return edit(index);
  }
  void remove(uint32_t index) {
    const uint32_t last = count() - 1;
    uint8_t* bytes_now = frame_->edit(at_);
    memmove(bytes_now + place(index), bytes_now + place(index + 1), size_t{last - index} * size);
    memset(bytes_now + place(last), 0, size);
    store(bytes_now, static_cast<uint16_t>(last));
  }
  void clear() { memset(frame_->edit(at_), 0, bytes); }

  static constexpr uint32_t place(uint32_t index) { return static_cast<uint32_t>(sizeof(uint16_t)) + index * size; }

 private:
  FunctionFrame* frame_;
  uint32_t at_;
  WhenFull when_full_;
};

/// At most N elements in the order in which they were added.
template <Storable T, uint32_t N>
class ListState {
  using Elements = StoredElements<sizeof(T), N>;

 public:
  static constexpr uint32_t bytes = Elements::bytes;

  uint32_t size() const { return elements_.count(); }
  /// Requires index < size(); 0 is the oldest.
  T get(uint32_t index) const {
    WEIR_ASSERT(index < size());
    return load<T>(elements_.element(index));
  }
  void set(uint32_t index, const T& value) {
    WEIR_ASSERT(index < size());
    store(elements_.edit(index), value);
  }
  /// False if the list is full and was declared WhenFull::Refuse.
  [[nodiscard]] bool add(const T& value) {
    uint8_t* to = elements_.append();
    if (to != nullptr) store(to, value);
    return to != nullptr;
  }
  void clear() { elements_.clear(); }

 private:
  friend class FunctionBuild;
  ListState(FunctionFrame& frame, uint32_t at, WhenFull when_full) : elements_(frame, at, when_full) {}
  static void describe(StoredFields& fields, const std::string& name) {
    fields.add_u16(name + ".count");
    describe_stored<T>(fields.add_list(name, N, name + ".count"), "value");
  }
  static bool empty(const uint8_t* at) { return Elements::count(at) == 0; }
  static bool valid(const uint8_t* at) {
    if (Elements::count(at) > N) return false;
    for (uint32_t index = 0; index < Elements::count(at); ++index)
      if (!stored_valid<T>(at + Elements::place(index))) return false;
    return true;
  }

  Elements elements_;
};

/// At most N entries, in the order in which their keys were first put; a search looks at each, so N is meant to be small. Keys
/// are compared by ==.
template <Storable K, Storable V, uint32_t N>
class MapState {
  using Elements = StoredElements<sizeof(K) + sizeof(V), N>;

 public:
  static constexpr uint32_t bytes = Elements::bytes;

  uint32_t size() const { return elements_.count(); }
  bool contains(const K& key) const { return find(key) != size(); }
  std::optional<V> get(const K& key) const {
    const uint32_t index = find(key);
    return index == size() ? std::nullopt : std::optional<V>(value_at(index));
  }
  /// Requires index < size().
  K key_at(uint32_t index) const {
    WEIR_ASSERT(index < size());
    return load<K>(elements_.element(index));
  }
  V value_at(uint32_t index) const {
    WEIR_ASSERT(index < size());
    return load<V>(elements_.element(index) + sizeof(K));
  }
  /// Sets the value of a key, which keeps its place if it is there. False if the map is full, the key is new and the map was
  /// declared WhenFull::Refuse.
  [[nodiscard]] bool put(const K& key, const V& value) {
    const uint32_t index = find(key);
    uint8_t* to = index < size() ? elements_.edit(index) : elements_.append();
    if (to == nullptr) return false;
    store(to, key);
    store(to + sizeof(K), value);
    return true;
  }
  void remove(const K& key) {
    if (const uint32_t index = find(key); index < size()) elements_.remove(index);
  }
  void clear() { elements_.clear(); }

 private:
  friend class FunctionBuild;
  MapState(FunctionFrame& frame, uint32_t at, WhenFull when_full) : elements_(frame, at, when_full) {}
  /// size() if the key is not there.
  uint32_t find(const K& key) const {
    uint32_t index = 0;
    while (index < size() && !(key_at(index) == key)) ++index;
    return index;
  }
  static void describe(StoredFields& fields, const std::string& name) {
    fields.add_u16(name + ".count");
    StoredFields& entry = fields.add_list(name, N, name + ".count");
    describe_stored<K>(entry, "key");
    describe_stored<V>(entry, "value");
  }
  static bool empty(const uint8_t* at) { return Elements::count(at) == 0; }
  static bool valid(const uint8_t* at) {
    if (Elements::count(at) > N) return false;
    for (uint32_t index = 0; index < Elements::count(at); ++index) {
      const uint8_t* element = at + Elements::place(index);
      if (!stored_valid<K>(element) || !stored_valid<V>(element + sizeof(K))) return false;
    }
    return true;
  }

  Elements elements_;
};

}  // namespace weir
