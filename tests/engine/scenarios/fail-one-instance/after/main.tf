resource "test_thing" "a" {
  count = 3
  name = "a${count.index}"
}

resource "test_thing" "b" {
  count = 3
  name = "b${count.index}"
  note = test_thing.a[count.index].id
}

resource "test_thing" "all" {
  name = "all"
  parents = test_thing.a[*].id
}
