resource "test_thing" "a" {
  name = "a"
  zone = "x"
}

resource "test_thing" "b" {
  name = "b"
  zone = test_thing.a.id
}

resource "test_thing" "c" {
  name = "c"
  zone = test_thing.b.id
}
