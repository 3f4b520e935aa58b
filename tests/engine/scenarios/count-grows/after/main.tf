resource "test_thing" "a" {
  count = 3
  name = "a${count.index}"
}

resource "test_thing" "b" {
  name = "b"
  parents = test_thing.a[*].id
}
