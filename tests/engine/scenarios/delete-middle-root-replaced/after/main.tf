resource "test_thing" "a" {
  name = "a"
  zone = "y"
}

resource "test_thing" "c" {
  name = "c"
  note = test_thing.a.id
}
