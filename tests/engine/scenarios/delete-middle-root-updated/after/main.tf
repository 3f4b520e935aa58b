resource "test_thing" "a" {
  name = "a"
  size = 2
}

resource "test_thing" "c" {
  name = "c"
  size = test_thing.a.revision
}
