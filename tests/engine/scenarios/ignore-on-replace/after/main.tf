resource "test_thing" "a" {
  name = "a"
  size = 2
  zone = "y"
  lifecycle {
    ignore_changes = [size]
  }
}

output "size" { value = test_thing.a.size }
