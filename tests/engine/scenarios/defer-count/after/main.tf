resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "b" {
  count = test_thing.a.revision
  name = "b${count.index}"
}

resource "test_thing" "c" {
  name = "c"
  parents = test_thing.b[*].id
}

resource "test_thing" "d" {
  name = "d"
}
