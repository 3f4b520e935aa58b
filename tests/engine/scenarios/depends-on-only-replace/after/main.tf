resource "test_thing" "b" {
  name = "b"
  zone = "y"
}

resource "test_thing" "a" {
  name = "a"
  zone = "y"
  depends_on = [test_thing.b]
}
