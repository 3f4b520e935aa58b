resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "b" {
  name = "b"
}

resource "test_thing" "c" {
  name = "c"
  parents = [test_thing.a.id, test_thing.b.id]
}
