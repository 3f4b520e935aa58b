resource "test_thing" "b" {
  name = "b"
  zone = "x"
}

resource "test_thing" "a" {
  name = "a"
  zone = "x"
  depends_on = [test_thing.b]
}
