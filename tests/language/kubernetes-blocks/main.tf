provider "kubernetes" {
  host = terraform_data.host.output
}

resource "terraform_data" "host" {
  input = "https://127.0.0.1"
}

resource "kubernetes_service_v1" "a" {
  metadata {
    name = "a"
  }

  spec {
    selector = { app = "a" }

    dynamic "port" {
      for_each = { http = 80, https = 443 }

      content {
        name = port.key
        port = port.value
      }
    }
  }
}

output "ports" {
  value = [for p in kubernetes_service_v1.a.spec[0].port : "${p.name}=${p.port}"]
}

output "name" {
  value = kubernetes_service_v1.a.metadata[0].name
}
