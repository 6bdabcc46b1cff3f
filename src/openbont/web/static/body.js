// The body with its sites: turn it, click a site or a dot to go to its row. The table says the same.
import * as THREE from "./vendor/three.module.min.js";
import { OrbitControls } from "./vendor/OrbitControls.js";

function meshOf(buffer) {
  const [corners, triangles] = new Uint32Array(buffer, 0, 2);
  const geometry = new THREE.BufferGeometry();
  const places = new Float32Array(buffer, 8, corners * 3);
  geometry.setAttribute("position", new THREE.BufferAttribute(places, 3));
  geometry.setIndex(new THREE.BufferAttribute(new Uint32Array(buffer, 8 + corners * 12, triangles * 3), 1));
  geometry.computeVertexNormals();
  const skin = new THREE.MeshStandardMaterial({ color: 0xc9b3a3, roughness: 0.85, transparent: true, opacity: 0.9 });
  return new THREE.Mesh(geometry, skin);
}

function label(number) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const pen = canvas.getContext("2d");
  pen.font = "bold 40px system-ui";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineWidth = 8;
  pen.strokeStyle = "#ffffff";
  pen.fillStyle = "#10282d";
  pen.strokeText(number, 32, 34);
  pen.fillText(number, 32, 34);
  const material = new THREE.SpriteMaterial({ map: new THREE.CanvasTexture(canvas), depthTest: false });
  return new THREE.Sprite(material);
}

/** Show the body in `canvas`; `chosen` hears the row of a site that was clicked. */
export async function show(canvas, address, chosen) {
  const renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: true });
  const camera = new THREE.PerspectiveCamera(30, 1, 10, 20000);
  const scene = new THREE.Scene();
  scene.add(new THREE.HemisphereLight(0xffffff, 0x667077, 2.2));
  const lamp = new THREE.DirectionalLight(0xffffff, 1.6);
  scene.add(lamp, camera);
  const answer = await fetch(address);
  const body = meshOf(await answer.arrayBuffer());
  const marks = new THREE.Group();
  scene.add(body, marks);
  const controls = new OrbitControls(camera, canvas);

  function render() {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    renderer.setSize(width, height, false);
    camera.aspect = width / height;
    camera.updateProjectionMatrix();
    lamp.position.copy(camera.position);
    renderer.render(scene, camera);
  }

  function lookAt(sites) {
    const box = new THREE.Box3().setFromObject(body);
    if (sites.length) {
      box.makeEmpty();
      for (const one of sites) box.expandByPoint(new THREE.Vector3(...one.skin_mm));
      box.expandByScalar(110);
    }
    const middle = box.getCenter(new THREE.Vector3());
    const size = box.getSize(new THREE.Vector3()).length();
    const way = new THREE.Vector3();
    for (const one of sites) way.add(new THREE.Vector3(...one.skin_mm).sub(new THREE.Vector3(...one.at_mm)));
    if (way.lengthSq() < 1) way.set(0, 0, 1);
    way.setY(0).normalize().add(new THREE.Vector3(0, 0.15, 0));
    camera.position.copy(middle).addScaledVector(way, size * 1.55);
    controls.target.copy(middle);
    controls.update();
  }

  function put(sites, look) {
    marks.clear();
    if (look) lookAt(sites);
    const far = camera.position.distanceTo(controls.target);
    sites.forEach((one) => {
      const dot = new THREE.Mesh(
        new THREE.SphereGeometry(far / 110, 20, 14),
        new THREE.MeshBasicMaterial({ color: 0xb3490f }),
      );
      dot.position.set(...one.skin_mm);
      dot.userData.row = one.row;
      const name = label(String(one.row + 1));
      const out = new THREE.Vector3(...one.skin_mm).sub(new THREE.Vector3(...one.at_mm));
      name.position.copy(dot.position).addScaledVector(out.setLength(out.length() && far / 60), 1);
      name.scale.setScalar(far / 22);
      marks.add(dot, name);
    });
    render();
  }

  function choose(row) {
    for (const one of marks.children) {
      if (one.isMesh) one.scale.setScalar(one.userData.row === row ? 1.7 : 1);
    }
    render();
  }

  let pressed = null;
  canvas.addEventListener("pointerdown", (event) => { pressed = [event.clientX, event.clientY]; });
  canvas.addEventListener("pointerup", (event) => {
    if (!pressed || Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 5) return;
    const box = canvas.getBoundingClientRect();
    const at = new THREE.Vector2(
      ((event.clientX - box.left) / box.width) * 2 - 1,
      1 - ((event.clientY - box.top) / box.height) * 2,
    );
    const ray = new THREE.Raycaster();
    ray.setFromCamera(at, camera);
    const hit = ray.intersectObjects(marks.children.filter((one) => one.isMesh))[0];
    if (hit) chosen(hit.object.userData.row);
  });
  controls.addEventListener("change", render);
  new ResizeObserver(render).observe(canvas);
  return { put, choose };
}
