resource "test_thing" "a" {
  name = "a"
  lifecycle {
    prevent_destroy = true
  }
}

resource "test_thing" "b" {
  name = "b"
}
