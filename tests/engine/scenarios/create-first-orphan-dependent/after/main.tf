resource "test_thing" "a" {
  name = "a"
  zone = "y"
  lifecycle {
    create_before_destroy = true
  }
}

resource "test_thing" "c" {
  name = "c"
  note = test_thing.a.id
}
