resource "test_thing" "a" {
  name = "a"
  zone = test_thing.b.id
}

resource "test_thing" "b" {
  name = "b"
  zone = "y"
}
