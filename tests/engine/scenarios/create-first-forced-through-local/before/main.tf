resource "test_thing" "a" {
  name = "a"
  zone = "x"
}

resource "test_thing" "b" {
  name = "b"
  zone = "x"
}

locals { id = test_thing.a.id }

resource "test_thing" "c" {
  name = "c"
  note = local.id
  depends_on = [test_thing.b]
  lifecycle {
    create_before_destroy = true
  }
}
